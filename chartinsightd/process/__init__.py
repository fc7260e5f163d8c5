"""What every long-running process needs: logs, signals, systemd, exit statuses."""
