package node

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/command"
)

// agentVersion asks an agent for its meta-data, which says its version.
func agentVersion(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	cmd := command.New(ctx, path, "meta-data")
	cmd.Env = []string{contract.PacemakerPath, "OCF_ROOT=/usr/lib/ocf"}
	var out command.Output
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s meta-data: %w", path, err)
	}
	var meta struct {
		Version string `xml:"version,attr"`
	}
	if err := xml.Unmarshal(out.Bytes(), &meta); err != nil || meta.Version == "" {
		return "", fmt.Errorf("%s meta-data has no version: %w", path, err)
	}
	return meta.Version, nil
}

// haproxyVersion returns the third word of `haproxy -v`: "HAProxy version 2.6.12-1+deb12u4
// 2026/10/18 - https://haproxy.org/".
func haproxyVersion(ctx context.Context, binary string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	cmd := command.New(ctx, binary, "-v")
	var out command.Output
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s -v: %w", binary, err)
	}
	words := strings.Fields(out.String())
	if len(words) < 3 {
		return "", fmt.Errorf("%s -v prints no version", binary)
	}
	return words[2], nil
}
