package host

import (
	"fmt"
	"log/syslog"
	"os"
	"os/user"
)

// toSyslog writes a line to the system's log, if there is one: `journalctl -t hawser`.
func toSyslog(line string) {
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_NOTICE, "hawser")
	if err != nil {
		return
	}
	_, _ = w.Write([]byte(line))
	_ = w.Close()
}

// userName is the user who wants something done: the one who became root by way of sudo.
func userName() string {
	if by := os.Getenv("SUDO_USER"); by != "" {
		return by
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Geteuid())
}

// whoAmI is the user, and the one who became it by way of sudo.
func whoAmI() string {
	name := fmt.Sprintf("uid %d", os.Geteuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if by := os.Getenv("SUDO_USER"); by != "" {
		name += " (sudo: " + by + ")"
	}
	return name
}
