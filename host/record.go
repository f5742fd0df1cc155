package host

import "log/syslog"

// toSyslog writes a line to the system's log, if there is one: `journalctl -t hawser`.
func toSyslog(line string) {
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_NOTICE, "hawser")
	if err != nil {
		return
	}
	_, _ = w.Write([]byte(line))
	_ = w.Close()
}
