package node

import (
	"context"
	"encoding/xml"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// agentVersion asks an agent for its meta-data, which says its version.
func agentVersion(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "meta-data")
	cmd.Env, cmd.Dir = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "OCF_ROOT=/usr/lib/ocf"}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s meta-data: %w", path, err)
	}
	var meta struct {
		Version string `xml:"version,attr"`
	}
	if err := xml.Unmarshal(out, &meta); err != nil || meta.Version == "" {
		return "", fmt.Errorf("%s meta-data has no version: %w", path, err)
	}
	return meta.Version, nil
}

// haproxyVersion returns the third word of `haproxy -v`: "HAProxy version 2.6.12-1+deb12u4
// 2026/10/18 - https://haproxy.org/".
func haproxyVersion(ctx context.Context, binary string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-v")
	cmd.Dir, cmd.WaitDelay = "/", time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s -v: %w", binary, err)
	}
	words := strings.Fields(string(out))
	if len(words) < 3 {
		return "", fmt.Errorf("%s -v prints no version", binary)
	}
	return words[2], nil
}
