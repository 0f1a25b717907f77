"""From an edition's manifest to distributions, wheels, bill of materials and bundle."""
