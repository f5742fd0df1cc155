package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is a process id of this machine. Of one that has ended meanwhile nothing is known.
type process int

func processes() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var all []process
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			all = append(all, process(pid))
		}
	}
	return all, nil
}

// name is the file name of the program that it runs.
func (p process) name() string {
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(filepath.Base(target), " (deleted)")
}

// args is its command line.
func (p process) args() []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p))
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}

// parentName is the name of its parent's program.
func (p process) parentName() string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
	_, rest, _ := strings.Cut(string(text), ") ") // proc(5): the fields behind the name
	words := strings.Fields(rest)
	if len(words) < 2 {
		return ""
	}
	parent, _ := strconv.Atoi(words[1])
	return process(parent).name()
}

// opens is whether it has the file open.
func (p process) opens(path string) bool {
	dir := fmt.Sprintf("/proc/%d/fd", p)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && target == path {
			return true
		}
	}
	return false
}
