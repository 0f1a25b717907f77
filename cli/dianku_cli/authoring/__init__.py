"""What `dianku` does for those who write plugins: begin one, and check one."""
