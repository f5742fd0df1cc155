package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hawser-ha/hawser/doctor"
)

func (n Node) watchdogCheck() doctor.Check {
	return doctor.Check{
		Name: "watchdog",
		Short: "a kernel watchdog that runs and is not fed, that another " +
			"program owns, or that sbd needs and does not have",
		Worst: doctor.Error,
		Why: "a watchdog that nobody feeds resets this node; without one, a node that fences " +
			"itself keeps running",
		Remedy: "modprobe softdog, systemctl enable sbd.service, RuntimeWatchdogSec= in " +
			"/etc/systemd/system.conf",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			d, declaredErr := n.declared(ctx)
			dogs, err := n.watchdogs()
			if err != nil {
				return nil, err
			}
			sbd, err := running("sbd")
			if err != nil {
				return nil, err
			}
			return n.judgeWatchdogs(d.Watchdog, sbd, dogs), declaredErr
		},
	}
}

// watchdog is a watchdog as the kernel shows it (Documentation/ABI/testing/sysfs-class-watchdog).
type watchdog struct {
	name     string // watchdog0
	identity string // "Software Watchdog"
	state    string // "" if the kernel does not say
	active   bool
	nowayout bool
	owners   []string // programs that have it open
}

func (n Node) watchdogs() ([]watchdog, error) {
	dirs, err := filepath.Glob(n.file("/sys/class/watchdog/watchdog*"))
	if err != nil {
		return nil, err
	}
	var all []watchdog
	var pids []process
	if len(dirs) > 0 {
		if pids, err = processes(); err != nil {
			return nil, err
		}
	}
	for _, dir := range dirs {
		read := func(file string) string {
			text, _ := os.ReadFile(filepath.Join(dir, file))
			return strings.TrimSpace(string(text))
		}
		w := watchdog{
			name: filepath.Base(dir), identity: read("identity"), state: read("state"),
			active: read("state") == "active", nowayout: read("nowayout") == "1",
		}
		for _, p := range pids {
			// The first one is also /dev/watchdog.
			if p.opens(n.file("/dev/"+w.name)) ||
				w.name == "watchdog0" && p.opens(n.file("/dev/watchdog")) {
				w.owners = append(w.owners, p.name())
			}
		}
		all = append(all, w)
	}
	return all, nil
}

// judgeWatchdogs judges the watchdogs. sbd says whether it runs, expected whether the cluster's
// fencing relies on it.
func (n Node) judgeWatchdogs(expected, sbd bool, dogs []watchdog) []doctor.Finding {
	var found []doctor.Finding
	fed := false
	for _, w := range dogs {
		label := strings.TrimSpace(fmt.Sprintf("/dev/%s (%s)", w.name, w.identity))
		bySBD := false
		for _, o := range w.owners {
			bySBD = bySBD || o == "sbd"
		}
		fed = fed || bySBD
		switch {
		case w.state == "" && len(w.owners) == 0:
			found = append(found,
				n.found(doctor.Unknown, w.name,
					"whether "+label+" runs: this kernel does not say (CONFIG_WATCHDOG_SYSFS)",
					"one that nobody feeds resets this node", "wdctl /dev/"+w.name))
		case w.active && len(w.owners) == 0:
			more := ""
			if w.nowayout {
				more = " and cannot be stopped (nowayout)"
			}
			found = append(found,
				n.found(doctor.Error, w.name,
					fmt.Sprintf("%s runs%s, and no program feeds it", label, more),
					"this node is reset when it times out",
					"wdctl /dev/"+w.name+"   # how much is left of it",
					"systemctl restart corosync.service pacemaker.service   # where sbd.service "+
						"is enabled: sbd starts with Corosync, and feeds it"))
		case len(w.owners) > 1:
			found = append(found,
				n.found(doctor.Error, w.name,
					fmt.Sprintf("%s is open in several programs: %s", label,
						strings.Join(w.owners, ", ")),
					"one of them feeds it while the other waits for the reset that is to fence "+
						"this node",
					"fuser -v /dev/watchdog /dev/"+w.name))
		case expected && len(w.owners) == 1 && !bySBD && !sbd:
			free := "systemctl disable --now watchdog.service   # or whatever " + w.owners[0] +
				" belongs to"
			if w.owners[0] == "systemd" {
				free = "sed -i 's/^RuntimeWatchdogSec=/#&/' /etc/systemd/system.conf && " +
					"systemctl daemon-reexec"
			}
			found = append(found,
				n.found(doctor.Error, w.name, fmt.Sprintf(
					"%s belongs to %s, and fencing relies on sbd, which cannot have it then", label,
					w.owners[0]),
					"sbd does not start, and Pacemaker does not start without it", append([]string{
						"fuser -v /dev/watchdog /dev/" + w.name, free,
					}, doctor.StartSBD(n.Name)...)...))
		}
	}
	switch {
	case expected && len(dogs) == 0:
		found = append(found,
			n.found(doctor.Error, "/dev/watchdog",
				"fencing relies on a watchdog (stonith-watchdog-timeout), and this node has none",
				"nothing resets this node when it loses the cluster: its addresses may be held "+
					"twice",
				"modprobe softdog", "echo softdog >/etc/modules-load.d/softdog.conf"))
	case expected && !sbd:
		found = append(found,
			n.found(doctor.Error, "sbd", "fencing relies on a watchdog "+
				"(stonith-watchdog-timeout), and sbd does not run here",
				"nothing resets this node when it loses the cluster, and the others believe that "+
					"it has been", doctor.StartSBD(n.Name)...))
	case expected && !fed && len(found) == 0:
		found = append(found,
			n.found(doctor.Error, "sbd", "sbd runs here and has no watchdog open",
				"nothing resets this node when sbd stops",
				"grep ^SBD_WATCHDOG_DEV /etc/default/sbd /etc/sysconfig/sbd"))
	}
	return found
}

// running reports whether a process runs the program.
func running(program string) (bool, error) {
	all, err := processes()
	if err != nil {
		return false, err
	}
	for _, p := range all {
		if p.name() == program {
			return true, nil
		}
	}
	return false, nil
}
