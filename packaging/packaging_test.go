// Package packaging_test looks at the packages as dpkg, rpm, lintian and man do.
package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

// Two versions of the packages, built once. Of the older one only hawser's.
const older, newer = "1.2.3", "1.3.0"

var built struct {
	sync.Once
	dir string
	err error
}

// packages is a directory with the packages of both versions.
func packages(t *testing.T) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "hawser-packages-"); built.err != nil { //nolint:usetesting // for all tests; TestMain removes it
			return
		}
		for version, names := range map[string]string{older: "hawser", newer: "hawser hawser-lab"} {
			for _, file := range files(t, needs.Packages(t, version, "NAMES="+names)) {
				if built.err = os.Link(file, filepath.Join(built.dir, filepath.Base(file))); built.err != nil {
					return
				}
			}
		}
	})
	require.NoError(t, built.err)
	return built.dir
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "hawser*"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}

// one is the only file of a pattern.
func one(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.Len(t, found, 1, pattern)
	return found[0]
}

// output runs a program, which must succeed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), needs.Command(t, name), args...).CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(args, " "), out)
	return strings.TrimRight(string(out), "\n")
}

// fields are the words of each line, by the last one.
func fields(text string) map[string][]string {
	lines := map[string][]string{}
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 1 {
			lines[words[len(words)-1]] = words
		}
	}
	return lines
}

// contents are the files of the package hawser whose place is the same in both families, with their modes.
var contents = map[string]string{
	"/usr/sbin/hawser":                                 "-rwxr-xr-x",
	"/usr/lib/ocf/resource.d/hawser/haproxy":           "-rwxr-xr-x",
	"/usr/lib/ocf/resource.d/hawser/floatip":           "-rwxr-xr-x",
	"/usr/sbin/fence_droplet":                          "-rwxr-xr-x",
	"/usr/share/hawser/setup-balancer":                 "-rwxr-xr-x",
	"/usr/share/hawser/hawser.schema.json":             "-rw-r--r--",
	"/usr/share/hawser/ra-api-1.1.dtd":                 "-rw-r--r--",
	"/usr/share/hawser/schemas/status.schema.json":     "-rw-r--r--",
	"/usr/share/hawser/schemas/order.schema.json":      "-rw-r--r--",
	"/usr/share/man/man8/fence_droplet.8.gz":           "-rw-r--r--",
	"/usr/share/doc/hawser/libraries.gz":               "-rw-r--r--",
	"/etc/hawser":                                      "drwxr-xr-x",
	"/usr/share/bash-completion/completions/hawser":    "-rw-r--r--",
	"/usr/share/fish/vendor_completions.d/hawser.fish": "-rw-r--r--",
	"/usr/share/man/man8/hawser.8.gz":                  "-rw-r--r--",
	"/usr/share/man/man5/hawser.yaml.5.gz":             "-rw-r--r--",
	"/usr/share/man/man7/ocf_hawser_haproxy.7.gz":      "-rw-r--r--",
	"/usr/share/man/man7/ocf_hawser_floatip.7.gz":      "-rw-r--r--",
	"/usr/share/doc/hawser/examples/hawser.yaml":       "-rw-r--r--",
	"/usr/share/doc/hawser/examples/haproxy.cfg":       "-rw-r--r--",
	"/usr/share/doc/hawser/changelog.gz":               "-rw-r--r--",
	"/usr/share/doc/hawser/README.md":                  "-rw-r--r--",
	"/usr/share/doc/hawser/plots/clusters.svg":         "-rw-r--r--",
	"/usr/share/man/man7/hawser-operations.7.gz":       "-rw-r--r--",
	"/usr/share/man/man7/hawser-troubleshooting.7.gz":  "-rw-r--r--",
	"/usr/share/man/man7/hawser-fencing.7.gz":          "-rw-r--r--",
}

func TestContents(t *testing.T) {
	dir := packages(t)
	deb := fields(output(t, "dpkg-deb", "--contents", one(t, dir, "hawser_"+newer+"-1_*.deb")))
	rpm := fields(output(t, "rpm", "-qlpv", one(t, dir, "hawser-"+newer+"-1.*.rpm")))
	for path, mode := range contents {
		inDeb := "." + path
		if mode[0] == 'd' {
			inDeb += "/"
		}
		require.Contains(t, deb, inDeb)
		require.Equal(t, []string{mode, "root/root"}, deb[inDeb][:2], path)
		require.Contains(t, rpm, path)
		require.Equal(t, mode, rpm[path][0], path)
		require.Equal(t, []string{"root", "root"}, rpm[path][2:4], path)
	}
	schemas, err := filepath.Glob("../share/schemas/*.schema.json")
	require.NoError(t, err)
	require.NotEmpty(t, schemas)
	for _, schema := range schemas {
		path := "/usr/share/hawser/schemas/" + filepath.Base(schema)
		require.Contains(t, deb, "."+path)
		require.Contains(t, rpm, path)
	}
	for _, pattern := range []string{"*.md", "tutorials/*.md", "decisions/*.md"} {
		pages, err := filepath.Glob("../docs/" + pattern)
		require.NoError(t, err)
		for _, page := range pages {
			page = strings.TrimPrefix(page, "../docs/")
			require.Contains(t, deb, "./usr/share/doc/hawser/"+page)
			require.Contains(t, rpm, "/usr/share/doc/hawser/"+page)
		}
	}
	for path := range deb { // what tests do besides what the pages say is not for operators
		require.NotContains(t, path, ".steps")
	}
	require.Contains(t, deb, "./usr/share/zsh/vendor-completions/_hawser")
	require.Contains(t, deb, "./usr/share/doc/hawser/copyright")
	require.Contains(t, rpm, "/usr/share/zsh/site-functions/_hawser")
	require.Contains(t, rpm, "/usr/share/licenses/hawser/LICENSE")
	for path := range deb { // else dpkg would overwrite what somebody else has put there
		require.NotContains(t, path, "resource.d/heartbeat")
		require.NotContains(t, path, "resource.d/digitalocean")
	}

	require.Contains(t, fields(output(t, "dpkg-deb", "--contents", one(t, dir, "hawser-lab_"+newer+"-1_*.deb"))), "./usr/sbin/hawser-lab")
	require.Equal(t, "hawser (= "+newer+"-1)", strings.Split(output(t, "dpkg-deb", "--field", one(t, dir, "hawser-lab_"+newer+"-1_*.deb"), "Depends"), ", ")[0])
	for _, file := range files(t, dir) {
		if strings.HasSuffix(file, ".rpm") {
			require.Contains(t, output(t, "rpm", "--checksig", "--nosignature", file), "digests OK")
		}
	}
}

// TestLab is that the laboratory's package depends on what deps.sh installs for the laboratory, by itself or by hawser's package.
func TestLab(t *testing.T) {
	dir := packages(t)
	depends := output(t, "dpkg-deb", "--field", one(t, dir, "hawser-lab_"+newer+"-1_*.deb"), "Depends", "Recommends") +
		output(t, "dpkg-deb", "--field", one(t, dir, "hawser_"+newer+"-1_*.deb"), "Depends")
	deps, err := os.ReadFile("../deps.sh")
	require.NoError(t, err)
	found, inside := 0, ""
	for line := range strings.Lines(string(deps)) {
		words, what, _ := strings.Cut(line, "#")
		if name, ok := strings.CutSuffix(strings.TrimSpace(words), "=("); ok {
			inside = name
			continue
		}
		switch what = strings.TrimSpace(what); {
		case strings.TrimSpace(words) == ")":
			inside = ""
		case inside == "lab", inside != "" && strings.HasPrefix(what, "nodes "):
			for _, p := range strings.Fields(words) {
				require.Contains(t, depends, p)
				found++
			}
		}
	}
	require.Greater(t, found, 12, "deps.sh has been changed: read the lines of the laboratory here")
}

// TestInstallThatFails half way, as on a full disk, leaves the previous programs: a cluster that
// runs may need them at any moment.
func TestInstallThatFails(t *testing.T) {
	bin, root, fakes := t.TempDir(), t.TempDir(), t.TempDir()
	agent := filepath.Join(root, "usr/lib/ocf/resource.d/hawser/haproxy")
	require.NoError(t, os.MkdirAll(filepath.Dir(agent), 0o755))
	require.NoError(t, os.WriteFile(agent, []byte("of before"), 0o755))
	for _, program := range []string{"hawser", "ocf-haproxy", "ocf-floatip", "fence_droplet"} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, program), []byte("new"), 0o755))
	}
	install := func(path string) ([]byte, error) {
		// Not rebuilt: -o makes make treat what is there as up to date.
		cmd := exec.CommandContext(t.Context(), "make", "-C", needs.Source(t), "-o", "build", "install", "DESTDIR="+root, "BIN="+bin)
		cmd.Env = append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"))
		return cmd.CombinedOutput()
	}
	require.NoError(t, os.WriteFile(filepath.Join(fakes, "install"), []byte(`#!/bin/sh
[ "$1" = -d ] && shift && exec mkdir -p "$@"
for at; do :; done
echo half >"$at"; echo "install: error writing '$at': No space left on device" >&2; exit 1
`), 0o755))
	out, err := install(fakes)
	require.Error(t, err)
	require.Contains(t, string(out), "No space left")
	require.Equal(t, []string{"haproxy"}, names(t, filepath.Dir(agent)))
	content, err := os.ReadFile(agent)
	require.NoError(t, err)
	require.Equal(t, "of before", string(content))

	out, err = install("/usr/bin")
	require.NoError(t, err, "%s", out)
	content, err = os.ReadFile(agent)
	require.NoError(t, err)
	require.Equal(t, "new", string(content), "what BIN names is what is installed")
	require.Equal(t, []string{"floatip", "haproxy"}, names(t, filepath.Dir(agent)))
	require.FileExists(t, filepath.Join(root, "usr/share/doc/hawser/troubleshooting.md"), "messages name it")
}

// TestUninstall is refused as the removal of the package is.
func TestUninstall(t *testing.T) {
	prefix := t.TempDir()
	agent := filepath.Join(prefix, "lib/ocf/resource.d/hawser/haproxy")
	require.NoError(t, os.Mkdir(filepath.Join(prefix, "sbin"), 0o755))
	uninstall := func(hawser string, env ...string) (string, error) {
		require.NoError(t, os.MkdirAll(filepath.Dir(agent), 0o755))
		require.NoError(t, os.WriteFile(agent, nil, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(prefix, "sbin/hawser"), []byte("#!/bin/sh\n"+hawser+"\n"), 0o755))
		cmd := exec.CommandContext(t.Context(), "make", "-C", needs.Source(t), "uninstall", "PREFIX="+prefix)
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	const inUse = `[ "$*" = removable ] && echo in use, says hawser; exit 1`
	out, err := uninstall(inUse)
	require.Error(t, err)
	require.Contains(t, out, "in use, says hawser")
	require.Contains(t, out, "HAWSER_REMOVE=anyway make uninstall")
	require.FileExists(t, agent)
	for hawser, env := range map[string]string{inUse: "HAWSER_REMOVE=anyway", "exit 0": "HAWSER_REMOVE=", "exit 126": "HAWSER_REMOVE="} {
		out, err = uninstall(hawser, env)
		require.NoError(t, err, "%s", out)
		require.NoFileExists(t, agent)
	}
}

func names(t *testing.T, dir string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		found = append(found, e.Name())
	}
	return found
}

func TestLintian(t *testing.T) {
	dir := packages(t)
	// Warnings fail it too: each is fixed, or overridden with a reason in packaging/lintian.
	output(t, "lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0",
		one(t, dir, "hawser_"+newer+"-1_*.deb"), one(t, dir, "hawser-lab_"+newer+"-1_*.deb"))
}

func TestManualPages(t *testing.T) {
	looks := regexp.MustCompile("\x1b\\[[0-9;]*m|.\b") // bold and underlined
	dir := t.TempDir()
	for _, name := range []string{"hawser", "hawser-lab"} {
		output(t, "dpkg-deb", "--extract", one(t, packages(t), name+"_"+newer+"-1_*.deb"), dir)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "usr/share/man/man*/*.gz"))
	require.NoError(t, err)
	require.Len(t, pages, 9)
	for _, page := range pages {
		cmd := exec.CommandContext(t.Context(), needs.Command(t, "man"), "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=80", "MANROFFSEQ=")
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		require.NoError(t, err, "%s", &said)
		require.Empty(t, said.String(), page)
		require.Contains(t, string(out), newer, page)
		for line := range strings.Lines(looks.ReplaceAllString(string(out), "")) {
			require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), 80, "%s: %s", page, line)
		}
	}
}

// TestExamples gives the examples to those that will read them.
func TestExamples(t *testing.T) {
	s := newSandbox(t, packages(t))
	s.run("dpkg --install /packages/hawser_" + newer + "-1_*.deb")
	s.run("HAWSER_ANCHOR_IP=127.0.0.1 haproxy -c -f /usr/share/doc/hawser/examples/haproxy.cfg")
	s.run("cp /usr/share/doc/hawser/examples/haproxy.cfg /etc/haproxy/haproxy.cfg")
	s.run("umask 077; echo token >/etc/hawser/token")
	plan := s.run(`printf '<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/>` +
		`<nodes><node id="1" uname="lb-1"/></nodes><resources/><constraints/></configuration><status/></cib>' >/root/cib.xml
		CIB_file=/root/cib.xml hawser plan -f /usr/share/doc/hawser/examples/hawser.yaml`)
	require.Contains(t, plan, "ocf:hawser:floatip")
	require.Contains(t, plan, "203.0.113.10")
}

// TestCopyright is that the licence is there in full and the package names it.
func TestCopyright(t *testing.T) {
	licence, err := os.ReadFile("../LICENSE")
	require.NoError(t, err)
	require.Contains(t, string(licence), "Apache License")
	require.Contains(t, string(licence), "END OF TERMS AND CONDITIONS")
	require.Equal(t, "Apache-2.0", output(t, "rpm", "-qp", "--queryformat", "%{license}", one(t, packages(t), "hawser-"+newer+"-1.*.rpm")))
}
