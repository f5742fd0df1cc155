// Package needs lets a test name what it needs of the machine. A test whose need is not met fails
// with a sentence that says how to meet it, because a skipped test is one that nobody sees.
//
// Only tests import it. Open needs.go first.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Root fails the test unless it runs as root.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test needs root: run it with `make test` as root")
	}
}

// Command fails the test unless the program is found, and returns its absolute path. Debian keeps
// many of them in /usr/sbin, which a user's PATH may lack.
func Command(t testing.TB, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Fatalf("this test needs the program %s: `make deps` installs its package", name)
	return ""
}

// File fails the test unless the file exists.
func File(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("this test needs %s: `make deps` installs its package (%v)", path, err)
	}
}

// NoFile fails the test if the file exists.
func NoFile(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Lstat(path); err == nil {
		t.Fatalf("this test needs a machine without %s, which is read before what the test puts in "+
			"its place: move it away for the test", path)
	}
}
