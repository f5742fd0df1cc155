package preflight

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
)

func TestWhatChecksName(t *testing.T) {
	dir := t.TempDir()
	path := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), mode))
		return file
	}
	cfg := path("haproxy.cfg", "backend app\n server a 192.0.2.1:80\nbackend none\n", 0o644)
	good, plain := path("good", "#!/bin/sh\n", 0o755), path("plain", "x", 0o644)
	check := func(checks string) error {
		file, err := config.Parse("f", []byte("haproxy:\n  config: "+cfg+"\n  checks:\n"+checks))
		require.NoError(t, err)
		n := Node{Live: true, Root: true, HAProxy: func(context.Context, HAProxy) error { return nil }}
		_, err = n.Check(t.Context(), file)
		return err
	}
	require.NoError(t, check("  - {name: app, backend: app}\n  - {name: all, backend: '*'}\n  - {name: own, exec: "+good+" x, user: nobody}\n  - {name: up, interface: lo}\n"))
	for checks, says := range map[string]string{
		"  - {name: db, backend: apps}\n":                                                    "f:4:25: the check db: " + cfg + " has no backend apps with servers: those with servers are app",
		"  - {name: db, backend: none}\n":                                                    "has no backend none with servers",
		"  - {name: up, interface: no-such-nic}\n":                                           "f:4:27: the check up: this node has no interface no-such-nic (it has ",
		"  - {name: own, exec: /nonexistent, user: nobody}\n":                                "f:4:23: the check own: /nonexistent is not on this node: no such file or directory; it must be there on every node",
		"  - {name: own, exec: " + plain + ", user: nobody}\n":                               "is not a program that can be run: chmod +x it",
		"  - {name: own, exec: " + good + ", user: no-such-user}\n":                          "this node has no user no-such-user",
		"  - {name: web, url: 'https://a/', tls: {verify: on, ca_file: " + dir + "}}\n":      "the check web: " + dir + " is not a file",
		"  - {name: web, url: 'https://a/', tls: {verify: on, ca_file: /nonexistent.pem}}\n": "the check web: /nonexistent.pem cannot be read on this node",
	} {
		require.ErrorContains(t, check(checks), says, checks)
	}
}
