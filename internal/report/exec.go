package report

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// commit is the commit that is measured, with a plus if tracked files were changed since. The
// report itself, which changes with every row, does not count.
func commit() (string, error) {
	out, _ := exec.Command("git", "rev-parse", "--short=10", "HEAD").Output()
	id := strings.TrimSpace(string(out))
	if id == "" {
		return "unknown", nil // an unpacked archive
	}
	changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no", "--", ":/",
		":(exclude,top)docs").Output()
	if err != nil {
		return "", fmt.Errorf("git status: %w", err)
	}
	if len(changed) > 0 {
		id += "+"
	}
	return id, nil
}

// installed asks dpkg for versions. Packages that are not installed are left out.
func installed(packages []string) ([]Version, error) {
	out, err := exec.Command("/usr/bin/dpkg-query", append([]string{
		"-W", "-f", `${db:Status-Status} ${Package} ${Version}\n`,
	}, packages...)...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // it exits with 1 if one of them is unknown
		return nil, fmt.Errorf("dpkg-query: %w", err)
	}
	var all []Version
	for line := range strings.Lines(string(out)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "installed" {
			all = append(all, Version{words[1], words[2]})
		}
	}
	return all, nil
}
