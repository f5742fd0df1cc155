package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/floatip"
	"github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/needs"
)

const tutorial = `# hawser.yaml of the tutorial
fencing: off                      # accepted on purpose
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 15s
floating_ips:
  - name: FloatIP
    ip: 203.0.113.10
    provider: digitalocean        # or lan, with cidr_netmask and nic
    token_file: /etc/hawser/token
`

// refusal is a hawser.yaml that is refused, with the messages word for word: they are what an
// operator works with.
type refusal struct {
	name, text, want string
	beyondSchema     bool // what is wrong cannot be said in a JSON Schema
}

// refusals are those of all sections.
func refusals() []refusal {
	all := append(documentRefusals(), fileRefusals()...)
	all = append(all, haproxyRefusals()...)
	all = append(all, checkRefusals()...)
	all = append(all, addressRefusals()...)
	all = append(all, placesRefused()...)
	return append(all, fencingRefusals()...)
}

// accepted are files that are accepted, by section.
func accepted() map[string]string {
	all := map[string]string{"the tutorial": tutorial, "the example": Example()}
	for name, text := range haproxyAccepted() {
		all["haproxy: "+name] = "haproxy:\n" + indent(text)
	}
	for name, text := range addressAccepted() {
		all["floating_ips: "+name] = "haproxy:\nfloating_ips:\n" + text
	}
	for name, text := range checksAccepted() {
		all["checks: "+name] = "haproxy:\n  checks:" + strings.ReplaceAll(" "+text, "\n", "\n  ") + "\n"
	}
	for name, text := range placesAccepted() {
		all["places: "+name] = text
	}
	for name, text := range fencingAccepted() {
		all["fencing: "+name] = "haproxy:\nfencing: " + text
	}
	return all
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
}

func TestAccepted(t *testing.T) {
	for name, text := range accepted() {
		_, err := Parse("f", []byte(text))
		require.NoError(t, err, "%s:\n%s", name, text)
	}
}

func TestRefused(t *testing.T) {
	for _, r := range refusals() {
		t.Run(r.name, func(t *testing.T) {
			_, err := Parse("f", []byte(r.text))
			require.Error(t, err)
			require.Equal(t, r.want, err.Error())
		})
	}
}

// fileRefusals are about the file as a whole and what its sections have to do with each other.
func fileRefusals() []refusal {
	return []refusal{
		{
			name: "empty",
			text: "",
			want: "f: the file is empty: expected haproxy, floating_ips or fencing",
		},
		{name: "only a comment", text: "# nothing\n",
			want: "f: the file is empty: expected haproxy, floating_ips or fencing"},
		{
			name: "no haproxy",
			text: "fencing: off",
			want: "f: the file has no haproxy: it may be empty (`haproxy: {}`), HAProxy then runs with /etc/haproxy/haproxy.cfg",
		},
		{
			name: "a list",
			text: "- a",
			want: "f:1:1: the file is a list: expected a mapping with the keys haproxy, floating_ips, groups, resources, sites, quorum, fencing",
		},
		{name: "names of hawser's objects", text: `haproxy:
floating_ips:
  - {name: haproxy, ip: 203.0.113.3, token_file: /t}
  - {name: fence-droplet, ip: 203.0.113.1, token_file: /t}
  - {name: x, ip: 203.0.113.4, token_file: /t}
  - {name: x-haproxy, ip: 203.0.113.6, token_file: /t}
  - {name: x-leaves-first, ip: 203.0.113.7, token_file: /t}
  - {name: x-where-served, ip: 203.0.113.8, token_file: /t}
  - {name: x-apart-x-haproxy, ip: 203.0.113.9, token_file: /t}
`, want: `f:3:12: the name haproxy is taken: it is hawser's own
f:4:12: the name fence-droplet is taken: it is hawser's own
f:6:12: the name x-haproxy is taken: it is the constraint of x
f:7:12: the name x-leaves-first is taken: it is the order of x and HAProxy
f:8:12: the name x-where-served is taken: it is the constraint by which x goes where HAProxy serves
f:9:12: the name x-apart-x-haproxy is taken: it is the constraint that keeps x and x-haproxy apart`, beyondSchema: true},
	}
}

func TestParseTutorial(t *testing.T) {
	c, err := Parse("hawser.yaml", []byte(tutorial))
	require.NoError(t, err)
	require.Equal(t, FencingOff, c.Fencing.Way)
	require.Equal(t, "/etc/haproxy/haproxy.cfg", c.HAProxy.Config)
	require.Equal(t, "15s", c.HAProxy.Monitor)
	require.Len(t, c.Addresses, 1)
	require.Equal(t, "FloatIP", c.Addresses[0].Name)
	require.Equal(t, "203.0.113.10", c.Addresses[0].IP.String())
	require.Equal(t, contract.DigitalOcean, c.Addresses[0].Provider)
	require.Equal(t, "/etc/hawser/token", c.Addresses[0].TokenFile)
	require.Equal(t, Position{10, 17}, c.Addresses[0].TokenFileAt)
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "my.yaml")
	require.NoError(t, os.WriteFile(file, []byte(tutorial), 0o600))
	c, err := Read(file)
	require.NoError(t, err)
	require.Equal(t, file, c.Path)

	_, err = Read(filepath.Join(dir, "other.yaml"))
	require.EqualError(t, err,
		filepath.Join(dir, "other.yaml")+" cannot be read: no such file or directory")
	_, err = Read(dir)
	require.ErrorContains(t, err, "is a directory")

	t.Chdir(dir)
	_, err = Read("")
	if _, statErr := os.Stat("/etc/hawser/hawser.yaml"); statErr != nil {
		require.EqualError(t, err, "there is no /etc/hawser/hawser.yaml and no hawser.yaml")
	}
	require.NoError(t, os.WriteFile("hawser.yaml", []byte(tutorial), 0o600))
	c, err = Read("")
	require.NoError(t, err)
	require.Equal(t, "hawser.yaml", c.Path)
}

// TestReadTrustsNobodyElse: root in somebody's directory must not come upon that somebody's file,
// which names a program that is run.
func TestReadTrustsNobodyElse(t *testing.T) {
	needs.Root(t)
	needs.NoFile(t, DefaultFiles()[0])
	const nobody = 65534
	for name, c := range map[string]struct {
		spoil func(dir, file string) error
		want  string
	}{
		"its own":          {func(_, _ string) error { return nil }, ""},
		"somebody's file":  {func(_, file string) error { return os.Chown(file, nobody, 0) }, "it belongs to uid 65534"},
		"a group's file":   {func(_, file string) error { return os.Chmod(file, 0o664) }, "others may write to it (mode 0664)"},
		"somebody's place": {func(dir, _ string) error { return os.Chown(dir, nobody, 0) }, "the working directory belongs to uid 65534"},
		"a place for all":  {func(dir, _ string) error { return os.Chmod(dir, 0o777|os.ModeSticky) }, "others may write to the working directory (mode 0777)"},
		"a FIFO":           {func(_, file string) error { return errors.Join(os.Remove(file), syscall.Mkfifo(file, 0o600)) }, "it is not a file"},
		"somebody's target": {func(dir, file string) error {
			theirs := filepath.Join(dir, "theirs")
			return errors.Join(os.Mkdir(theirs, 0o755), os.Rename(file, theirs+"/x"),
				os.Symlink("theirs/x", file), os.Chown(theirs, nobody, 0))
		}, "theirs belongs to uid 65534"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "hawser.yaml")
			require.NoError(t, os.WriteFile(file, []byte(tutorial), 0o600))
			require.NoError(t, c.spoil(dir, file))
			t.Chdir(dir)
			_, err := Read("")
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, "hawser.yaml is not used: "+c.want+
				": name it with -f if it is meant")
			var unreadable *ReadError
			require.ErrorAs(t, err, &unreadable)
			require.True(t, unreadable.Untrusted())
			if name != "a FIFO" {
				_, err = Read("hawser.yaml")
				require.NoError(t, err, "a file that is named is the caller's business")
			}
		})
	}
}

// FuzzConfig looks for a file that is answered with neither a configuration nor faults.
func FuzzConfig(f *testing.F) {
	for _, text := range accepted() {
		f.Add(text)
	}
	for _, r := range refusals() {
		f.Add(r.text)
	}
	f.Add("haproxy: {check: {url: x}}\nfloating_ips: [{}]")
	f.Add("a: &a [*a]\nhaproxy: *a")
	f.Add("haproxy: &x\n  check: *x\n")
	f.Add("? {a: b}\n: c\n")
	f.Add("haproxy: !!binary aGVsbG8=\n")
	f.Add("haproxy: |\n  text\nfencing: off\n--- \n")
	f.Add("%YAML 1.2\n---\nhaproxy:\n...\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("f", []byte(text))
		if err == nil {
			require.NotEmpty(t, c.HAProxy.Monitor)
			for _, ip := range c.Addresses {
				require.True(t, ip.IP.IsValid())
				require.Regexp(t, idPattern, ip.Name)
				require.NotContains(t, ip.TokenFile+ip.NIC+c.HAProxy.Config, "\x00")
				takes(t, floatip.New("test"), ip.Params())
			}
			takes(t, haproxy.New("test"), c.HAProxy.Params())
			return
		}
		var faults *Faults
		require.True(t, errors.As(err, &faults), "%v", err)
		require.NotEmpty(t, faults.List)
		for _, fault := range faults.List {
			require.NotEmpty(t, strings.TrimSpace(fault.Message))
		}
	})
}
