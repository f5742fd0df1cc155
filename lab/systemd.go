package lab

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// With Options.Systemd, PID 1 of the balancers is the machine's own systemd, which starts Corosync
// and Pacemaker by their units. It has control groups and a journal of the node's own. One thing
// does not work here: control groups have no controllers if the machine uses those of cgroup v1, as
// nearly every machine without systemd does, so MemoryMax= and the like limit nothing.

// systemdPaths lists where distributions have it.
var systemdPaths = []string{"/usr/lib/systemd/systemd", "/lib/systemd/systemd"}

// systemdBelow returns where systemd is in another root file system, or in the calling thread's if
// root is empty.
func systemdBelow(root string) (string, error) {
	for _, path := range systemdPaths {
		if _, err := os.Lstat(filepath.Join("/", root, path)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("systemd: not found at %v", systemdPaths)
}

// idle lists units that a node has no use for, or that would change the machine's kernel, which all
// nodes share.
var idle = []string{
	"dev-hugepages.mount", "dev-mqueue.mount", "getty.target", "kmod-static-nodes.service",
	"proc-sys-fs-binfmt_misc.automount",
	"sys-fs-fuse-connections.mount", "sys-kernel-config.mount", "sys-kernel-debug.mount",
	"sys-kernel-tracing.mount",
	"systemd-ask-password-console.path", "systemd-ask-password-wall.path", "systemd-binfmt.service",
	"systemd-firstboot.service",
	"systemd-fsckd.socket", "systemd-hwdb-update.service", "systemd-initctl.socket",
	"systemd-journald-audit.socket",
	"systemd-modules-load.service", "systemd-pcrphase-sysinit.service", "systemd-pcrphase.service",
	"systemd-random-seed.service",
	"systemd-remount-fs.service", "systemd-repart.service", "systemd-sysctl.service",
	"systemd-tmpfiles-clean.timer",
	"systemd-tmpfiles-setup-dev.service", "systemd-udevd.service", "systemd-update-utmp.service",
	"tmp.mount", "var-lib-machines.mount",
}

// underSystemd makes systemd the node's PID 1 instead of this program.
func (m *machine) underSystemd(lab string, first bool) {
	m.Cgroup = filepath.Join(cgroupOf(lab), m.Hostname)
	units := []string{"corosync.service", "pacemaker.service"}
	for _, s := range m.Services {
		if s.Name == qdeviceService {
			units = append(units, "corosync-qdevice.service")
		}
	}
	m.Services = nil
	if !first {
		return
	}
	const dir = "/etc/systemd/system/"
	// The node does not run what is enabled on the machine, by units or by init scripts.
	m.Wipe = append(m.Wipe, dir+"*.wants/*", dir+"*.requires/*", dir+"haproxy.service*",
		"/etc/rc?.d/*", "/var/log/journal/*")
	id := sha256.Sum256([]byte(lab + "/" + m.Hostname))
	m.Files = append(m.Files,
		file{Path: "/etc/machine-id", Mode: 0o444, Content: hex.EncodeToString(id[:16]) + "\n"},
		file{Path: "/etc/fstab", Mode: 0o644},
		file{
			Path: "/etc/systemd/journald.conf.d/lab.conf", Mode: 0o644,
			Content: "[Journal]\nStorage=persistent\nRateLimitBurst=0\nReadKMsg=no\n",
		},
		file{Path: dir + "default.target", Link: "/lib/systemd/system/multi-user.target"},
	)
	for _, unit := range idle {
		m.Files = append(m.Files, file{Path: dir + unit, Link: "/dev/null"})
	}
	for _, unit := range units {
		m.Files = append(m.Files, file{
			Path: dir + "multi-user.target.wants/" + unit, Link: "/lib/systemd/system/" + unit,
		})
	}
}

// execSystemd becomes systemd. It reports to the parent first, as it cannot do so afterwards; it
// returns only if it failed.
func (m *machine) execSystemd() error {
	// the program executed from this thread gets its namespace
	runtime.LockOSThread()
	path, err := systemdBelow("")
	if err != nil {
		return err
	}
	// The hierarchy shows the node's own group as its root (cgroup_namespaces(7)).
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("lab: unshare control groups: %w", err)
	}
	if err := unix.Mount("cgroup2", "/sys/fs/cgroup", "cgroup2",
		unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("lab: mount cgroup2 on /sys/fs/cgroup: %w", err)
	}
	// As systemd-nspawn does: the journal tells one boot from another by it, and the machine's own
	// stays the same.
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	bootID := fmt.Sprintf("%x-%x-%x-%x-%x\n", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	if err := os.WriteFile("/run/boot-id", []byte(bootID), 0o444); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	const here = "/proc/sys/kernel/random/boot_id"
	if err := unix.Mount("/run/boot-id", here, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("lab: give the boot an id of its own: %w", err)
	}
	ready(nil)
	// This word makes systemd leave alone what belongs to the machine
	// (https://systemd.io/CONTAINER_INTERFACE/).
	return syscall.Exec(path, []string{path}, []string{
		"container=hawser-lab", "PATH=" + nodePath, "LANG=C.UTF-8",
	})
}

// waitSystemd waits until the node's systemd accepts connections: from then on systemctl works
// there.
func waitSystemd(ctx context.Context, p process) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	socket := fmt.Sprintf("/proc/%d/root/run/systemd/private", p.PID)
	for {
		if _, err := os.Stat(socket); err == nil {
			return nil
		}
		if !p.alive() {
			return errors.New("systemd ended at once")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for systemd's socket: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// cgroupOf is the cgroup v2 control group that contains those of a lab's nodes.
func cgroupOf(lab string) string { return "hawser-lab." + lab }

// inCgroups runs f with the cgroup v2 hierarchy mounted at root, wherever the machine itself has
// it, if at all.
func inCgroups(f func(root string) error) error {
	return onThread(func() error {
		const root = "/sys/fs/cgroup"
		if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
			return fmt.Errorf("lab: unshare mounts: %w", err)
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("lab: keep mounts to this thread: %w", err)
		}
		if err := unix.Mount("cgroup2", root, "cgroup2", 0, ""); errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("lab: this kernel has no cgroup2: %w", err)
		} else if err != nil {
			return fmt.Errorf("lab: mount cgroup2: %w", err)
		}
		return f(root)
	})
}

// joinCgroup moves this process into a control group of its own, which it makes.
func joinCgroup(group string) error {
	return inCgroups(func(root string) error {
		dir := filepath.Join(root, group)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("lab: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0); err != nil {
			return fmt.Errorf("lab: join the control group %s: %w", group, err)
		}
		return nil
	})
}

// removeCgroup removes a control group and all below it; nothing may be running in them. It is not
// an error if there is none.
func removeCgroup(group string) error {
	err := inCgroups(func(root string) error {
		var dirs []string
		err := filepath.WalkDir(filepath.Join(root, group),
			func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.IsDir() {
					dirs = append(dirs, path)
				}
				return err
			})
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		for _, dir := range slices.Backward(dirs) {
			if err == nil {
				err = unix.Rmdir(dir)
			}
		}
		if err != nil {
			return fmt.Errorf("lab: remove the control group %s: %w", group, err)
		}
		return nil
	})
	if errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}
