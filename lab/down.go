package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Down removes the lab of that name (DefaultName if empty) and everything of it: processes,
// namespaces, mounts, state. It works from names alone, so it also clears away what a killed Up
// left behind. It is not an error if there is nothing.
func Down(ctx context.Context, name string) error {
	if name == "" {
		name = DefaultName
	}
	dir, err := stateDir(name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(Root); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := endProcesses(ctx, dir); err != nil {
		return err
	}
	if err := removeCgroup(cgroupOf(name)); err != nil {
		return err
	}
	// a well-formed pattern: names have no special characters
	paths, _ := filepath.Glob(filepath.Join(dir, "net", "*"))
	for _, path := range paths {
		if err := removeNetns(path); err != nil {
			return err
		}
	}
	for {
		err := unix.Unmount(dir, 0)
		if errors.Is(err, unix.EBUSY) { // somebody's shell has it as its working directory
			err = unix.Unmount(dir, unix.MNT_DETACH)
		}
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			break
		}
		if err != nil {
			return fmt.Errorf("lab: down: unmount %s: %w", dir, err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("lab: down: %w", err)
	}
	if err := os.Remove(dir + ".lock"); err != nil {
		return fmt.Errorf("lab: down: %w", err)
	}
	_ = os.Remove(Root) // not empty: another lab is there
	return nil
}

// Down removes the lab and everything of it.
func (l *Lab) Down(ctx context.Context) error { return Down(ctx, l.spec.Name) }

// endProcesses kills everything that runs in one of the lab's network namespaces, and waits until
// it has gone. The PID 1 of a node takes its children with it.
func endProcesses(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for {
		found, err := processesIn(dir)
		if err != nil || len(found) == 0 {
			return err
		}
		for _, p := range found {
			if err := p.signal(unix.SIGKILL); err != nil {
				return err
			}
		}
		for _, p := range found {
			if err := p.waitGone(ctx); err != nil {
				return err
			}
		}
	}
}

// processesIn finds the processes in the namespaces bound below dir/net, except this one.
func processesIn(dir string) ([]process, error) {
	ours := map[uint64]bool{}
	paths, _ := filepath.Glob(filepath.Join(dir, "net", "*")) // a well-formed pattern
	for _, path := range paths {
		if ino := netnsInode(path); ino != 0 {
			ours[ino] = true
		}
	}
	if len(ours) == 0 {
		return nil, nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("lab: look for processes: %w", err)
	}
	var found []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		link, err := os.Readlink("/proc/" + e.Name() + "/ns/net") // "net:[4026532281]"
		if err != nil {
			continue // ended meanwhile, or a zombie
		}
		ino, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(link, "net:["), "]"),
			10, 64)
		if err != nil || !ours[ino] {
			continue
		}
		if p, err := processOf(pid); err == nil {
			found = append(found, p)
		}
	}
	return found, nil
}
