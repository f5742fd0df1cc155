// Package sbd finds out about SBD on a node, the daemon that feeds the node's watchdog and leaves it
// to starve when the node has lost the cluster (sbd(8)): whether it runs, and with which settings.
//
// It imports param and leaves of internal. This file reads settings; daemon.go finds the daemon, for
// whoever wants all of it.
package sbd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Settings by their names, such as SBD_WATCHDOG_TIMEOUT. One without a value is not set.
type Settings map[string]string

// The settings that hawser reads.
const (
	Timeout  = "SBD_WATCHDOG_TIMEOUT" // after which the watchdog fires
	Device   = "SBD_DEVICE"           // disks, with ; between them
	Watchdog = "SBD_WATCHDOG_DEV"
)

// Files lists the files that SBD's unit reads: Debian's, and that of Red Hat and SUSE.
func Files() []string { return []string{"/etc/default/sbd", "/etc/sysconfig/sbd"} }

// Read reads the first of the files that exists; path is "" if none does. root is put before the
// paths.
func Read(root string) (s Settings, path string, err error) {
	for _, path := range Files() {
		text, err := os.ReadFile(filepath.Join("/", root, path))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, path, fmt.Errorf("read sbd's settings: %w", err)
		}
		return Parse(strings.Split(string(text), "\n")), path, nil
	}
	return Settings{}, "", nil
}

// Parse reads settings from lines, or an environment, of NAME=VALUE, where a value may be quoted.
func Parse(lines []string) Settings {
	s := Settings{}
	for _, line := range lines {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"'`)
		if ok && value != "" && strings.HasPrefix(name, "SBD_") {
			s[name] = value
		}
	}
	return s
}
