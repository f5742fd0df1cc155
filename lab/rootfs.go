package lab

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// assemble makes the node's root file system and moves into it: the machine's own root with the
// overlay and the node's disk above it, and fresh /proc, /sys, /dev, /run and /tmp.
func (m *machine) assemble() error {
	unix.Umask(0o022)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("lab: keep mounts to the node: %w", err)
	}
	for _, dir := range []string{m.Upper, m.Work, m.RootDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("lab: %w", err)
		}
	}
	layers := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", m.Lower, m.Upper, m.Work)
	if err := unix.Mount("overlay", m.RootDir, "overlay", 0, layers); err != nil {
		return fmt.Errorf("lab: mount the root file system (overlay, %s): %w", layers, err)
	}
	for _, mnt := range []struct {
		kind, at string
		flags    uintptr
		options  string
	}{
		{"proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", "sys", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY, ""},
		{"tmpfs", "dev", unix.MS_NOSUID, "mode=0755,size=1m"},
		{"tmpfs", "run", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755"},
		{"tmpfs", "tmp", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	} {
		at := filepath.Join(m.RootDir, mnt.at)
		if err := os.MkdirAll(at, 0o755); err != nil {
			return fmt.Errorf("lab: %w", err)
		}
		if err := unix.Mount(mnt.kind, at, mnt.kind, mnt.flags, mnt.options); err != nil {
			return fmt.Errorf("lab: mount %s on /%s: %w", mnt.kind, mnt.at, err)
		}
	}
	if err := devices(filepath.Join(m.RootDir, "dev")); err != nil {
		return err
	}
	if err := enterRoot(m.RootDir); err != nil {
		return err
	}
	if err := protectMachine(); err != nil {
		return err
	}
	for _, pattern := range m.Wipe {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("lab: wipe %s: %w", pattern, err)
		}
		for _, path := range matches {
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("lab: wipe %s: %w", path, err)
			}
		}
	}
	if err := unix.Sethostname([]byte(m.Hostname)); err != nil {
		return fmt.Errorf("lab: set the host name %s: %w", m.Hostname, err)
	}
	return nil
}

// devices fills /dev with the harmless ones. Disks, watchdogs and the kernel's log stay the
// machine's own.
func devices(dev string) error {
	bind := func(name string, flags uintptr) error {
		if err := unix.Mount("/dev/"+
			name, filepath.Join(dev, name), "", unix.MS_BIND|flags, ""); err != nil {
			return fmt.Errorf("lab: bind /dev/%s: %w", name, err)
		}
		return nil
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		if err := os.WriteFile(filepath.Join(dev, name), nil, 0o600); err != nil {
			return fmt.Errorf("lab: %w", err)
		}
		if err := bind(name, 0); err != nil {
			return err
		}
	}
	for _, name := range []string{"pts", "shm"} {
		if err := os.Mkdir(filepath.Join(dev, name), 0o755); err != nil {
			return fmt.Errorf("lab: %w", err)
		}
	}
	if err := bind("pts", unix.MS_REC); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", filepath.Join(dev, "shm"), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV,
		"mode=1777"); err != nil {
		return fmt.Errorf("lab: mount tmpfs on /dev/shm: %w", err)
	}
	for name, target := range map[string]string{
		// not bound: the kernel looks for pts beside the ptmx that is opened, and there is nothing
		// beside a bound file
		"ptmx": "pts/ptmx",
		"fd":   "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
		"stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, filepath.Join(dev, name)); err != nil {
			return fmt.Errorf("lab: %w", err)
		}
	}
	return nil
}

func enterRoot(root string) error {
	if err := os.Chdir(root); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	// pivot_root(".", ".") puts the old root on top of the new one, from where it can be unmounted:
	// pivot_root(2), NOTES
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("lab: pivot_root to %s: %w", root, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("lab: unmount the machine's root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	return nil
}

// protectMachine makes the kernel's settings, which all nodes and the machine share, read-only:
// systemd, for one, raises fs.file-max as it starts. Those of a node's own network stay writable.
// The files by which Pacemaker resets the machine when its node is lost (sysrq b) are hidden.
func protectMachine() error {
	const sys, network = "/proc/sys", "/proc/sys/net"
	for _, dir := range []string{sys, network} {
		if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("lab: bind %s: %w", dir, err)
		}
	}
	if err := unix.Mount("", sys, "",
		unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC,
		""); err != nil {
		return fmt.Errorf("lab: make %s read-only: %w", sys, err)
	}
	for _, path := range []string{"/proc/sysrq-trigger", "/proc/sys/kernel/sysrq"} {
		err := unix.Mount("/dev/null", path, "", unix.MS_BIND, "")
		if err != nil && !errors.Is(err, unix.ENOENT) { // a kernel without sysrq
			return fmt.Errorf("lab: hide %s: %w", path, err)
		}
	}
	return nil
}

// runDirs makes the directories in /run that systemd-tmpfiles makes at boot, and those that systemd
// makes for daemons that the lab starts without it, with more of those.
func runDirs(more ...file) {
	dirs := []file{
		{Path: "/run/lock", Mode: os.ModeDir | os.ModeSticky | 0o777},
		{Path: "/run/crm", Mode: os.ModeDir | 0o750, Owner: "hacluster", Group: "haclient"},
	}
	for _, pattern := range []string{"/usr/lib/tmpfiles.d/*.conf", "/etc/tmpfiles.d/*.conf"} {
		paths, _ := filepath.Glob(pattern) // the patterns are well-formed
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err == nil {
				dirs = append(dirs, tmpfiles(string(b))...)
			}
		}
	}
	for _, d := range append(dirs, more...) {
		if err := d.put(); err != nil {
			logf("%v", err) // like systemd-tmpfiles: it is logged, and the boot continues
		}
	}
}

// tmpfiles returns the directories that lines of tmpfiles.d(5) make below /run. Specifiers (%) are
// not expanded: such lines are left out, as are those for systemd's own.
func tmpfiles(conf string) []file {
	var dirs []file
	for sc := bufio.NewScanner(strings.NewReader(conf)); sc.Scan(); {
		f := strings.Fields(sc.Text())
		if len(f) < 2 || (f[0] != "d" && f[0] != "D") || strings.Contains(f[1], "%") {
			continue
		}
		path := strings.Replace(f[1], "/var/run/", "/run/", 1)
		if !strings.HasPrefix(path, "/run/") || strings.HasPrefix(path, "/run/systemd") {
			continue
		}
		d := file{Path: strings.TrimSuffix(path, "/"), Mode: os.ModeDir | 0o755}
		if len(f) > 2 {
			if n, err := strconv.ParseUint(strings.TrimLeft(f[2], ":~"), 8, 12); err == nil {
				d.Mode = os.ModeDir | os.FileMode(n&0o777)
				for bit, mode := range map[uint64]os.FileMode{
					0o1000: os.ModeSticky, 0o2000: os.ModeSetgid, 0o4000: os.ModeSetuid,
				} {
					if n&bit != 0 {
						d.Mode |= mode
					}
				}
			}
		}
		if len(f) > 3 && f[3] != "-" {
			d.Owner = f[3]
		}
		if len(f) > 4 && f[4] != "-" {
			d.Group = f[4]
		}
		dirs = append(dirs, d)
	}
	return dirs
}

// waitSockets waits until abstract Unix sockets of these names listen in the node, which is what
// libqb's clients connect to.
func waitSockets(names []string, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		b, err := os.ReadFile("/proc/net/unix")
		if err != nil {
			return err
		}
		missing := ""
		for _, name := range names {
			if !strings.Contains(string(b), " @"+name+"@") &&
				!strings.Contains(string(b), " @"+name+"\n") {
				missing = name
			}
		}
		if missing == "" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the socket @%s does not listen after %s", missing, limit)
		}
	}
}

// syslog listens at /dev/log and writes messages to /var/log/syslog: haproxy and the agents log
// there.
func syslog() error {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("lab: syslog: %w", err)
	}
	if err := os.Chmod("/dev/log", 0o666); err != nil {
		return fmt.Errorf("lab: syslog: %w", err)
	}
	out, err := os.OpenFile("/var/log/syslog", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("lab: syslog: %w", err)
	}
	go func() {
		b := make([]byte, 64<<10)
		for {
			n, err := conn.Read(b)
			if err != nil {
				logf("syslog: %v", err)
				return
			}
			line := strings.TrimRight(string(b[:n]), "\n\x00")
			if end := strings.IndexByte(line, '>'); strings.HasPrefix(line, "<") && end > 0 {
				line = line[end+1:] // the priority
			}
			_, _ = out.WriteString(line + "\n") // a full disk: there is nowhere to report it
		}
	}()
	return nil
}
