"""The console: pages over the shop's own HTTP API. Its hooks are in `dianku_console.plugin`."""
