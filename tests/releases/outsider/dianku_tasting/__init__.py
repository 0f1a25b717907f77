"""An outsider's plugin: notes of tastings, of which it hears through the event log."""
