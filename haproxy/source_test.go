package haproxy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func env(name string) string {
	return map[string]string{"IP": "10.0.0.1", "HAWSER_ANCHOR_IP": "10.10.0.5"}[name]
}

func TestSplitLine(t *testing.T) {
	for line, want := range map[string][]string{
		"":                              nil,
		"  # all comment":               nil,
		"bind :80 # here":               {"bind", ":80"},
		`bind "${HAWSER_ANCHOR_IP}:80"`: {"bind", "10.10.0.5:80"},
		`bind "$IP:80"`:                 {"bind", "10.0.0.1:80"},
		`bind "${NO-127.0.0.1}:80"`:     {"bind", "127.0.0.1:80"},
		`bind '${IP}:80'`:               {"bind", "${IP}:80"},
		`bind ${IP}:80`:                 {"bind", "${IP}:80"},
		`a b\ c "d e" ''`:               {"a", "b c", "d e", ""},
		`a \# \\`:                       {"a", "#", `\`},
		`a "${IP`:                       {"a", "10.0.0.1"},
	} {
		v := variables{outside: env}
		require.Equal(t, want, splitLine(line, v.get), line)
	}
}

func TestBinds(t *testing.T) {
	for text, want := range map[string][]string{
		"10.0.0.1:80":      {"10.0.0.1:80"},
		":80":              {"0.0.0.0:80"},
		"*:80":             {"0.0.0.0:80"},
		":::80":            {"[::]:80"},
		"[::1]:80":         {"[::1]:80"},
		"ipv6@:80":         {"[::]:80"},
		"ipv4@1.2.3.4:80":  {"1.2.3.4:80"},
		":80-82":           {"0.0.0.0:80", "0.0.0.0:81", "0.0.0.0:82"},
		"/run/x.sock":      nil,
		"unix@/run/x.sock": nil,
		"quic4@:443":       nil,
		"example.com:80":   nil,
		"10.0.0.1":         nil,
		"10.0.0.1:x":       nil,
	} {
		var got []string
		for _, addr := range parseBind(text) {
			got = append(got, addr.String())
		}
		require.Equal(t, want, got, text)
	}
	sources := []Source{{"a", "frontend f\n  bind \"${HAWSER_ANCHOR_IP}:80\",:81 ssl\n  #bind " +
		":82\n"}}
	require.Len(t, Binds(sources, env), 2)
	for line, want := range map[string][2]bool{ // with net.ipv6.bindv6only 0, and 1
		"bind :::80":             {true, false},
		"bind :::80 v4v6":        {true, true},
		"bind :::80 v6only":      {false, false},
		"bind :::80 v4v6 v6only": {false, false},
		"bind ipv6@:80":          {true, false},
		"bind ::1:80 v4v6":       {false, false},
		"bind :80 v4v6":          {false, false},
	} {
		for i, byDefault := range []bool{false, true} {
			at := binds([]Source{{"a", "frontend f\n  " + line}}, env, byDefault)
			require.Len(t, at, 1)
			require.Equal(t, want[i], at[0].Both, "%s, bindv6only=%t", line, byDefault)
		}
	}
	require.Equal(t, []StatsSocket{{"/run/a", false, false}, {"/run/b", true, false},
		{"/run/c", false, true}},
		StatsSockets([]Source{{"a",
			"stats socket /run/a\n stats socket unix@/run/b mode 600 uid 5\nstats socket ipv4@:1 " +
				"x\nstats timeout 1s\nstats socket /run/c group x level admin"}}, env))
}

func TestBindings(t *testing.T) {
	got := func(text string) []string {
		var all []string
		for _, b := range Bindings([]Source{{"a", text}}, env) {
			all = append(all, b.Addr.String()+" "+b.Place)
		}
		return all
	}
	require.Equal(t, []string{"10.10.0.5:80 a:2", "0.0.0.0:81 a:2", "0.0.0.0:82 a:4"},
		got("frontend f\n bind \"${HAWSER_ANCHOR_IP}:80\",:81 ssl\nlisten g\n bind :82\n"))
	require.Equal(t, []string{"0.0.0.0:80 a:2", "0.0.0.0:83 a:9"},
		got("frontend f\n bind :80\n .if defined(X)\n bind :81\n .endif\nlisten g\n bind :82\n "+
			"disabled\n bind :83\n"), "what another line may undo")
	require.Empty(t, got("listen g\n bind 192.0.2.1:80 transparent\n bind :81 interface eth1\n "+
		"bind x:82\n bind quic4@:443\n"))
	require.Empty(t, got("global\n noreuseport\nlisten g\n bind :80\n"))
	require.True(t, Bindings([]Source{{"a", "listen g\n bind :::80 v6only"}}, env)[0].V6Only)
}

// TestVariablesOfTheConfiguration: what the file sets itself is read as HAProxy reads it, and what
// nobody knows is left out.
func TestVariablesOfTheConfiguration(t *testing.T) {
	for text, want := range map[string][]string{
		"setenv A 192.0.2.1":                                         {"192.0.2.1:80"},
		"setenv A 192.0.2.1\n setenv A 192.0.2.2":                    {"192.0.2.2:80"},
		"setenv B 192.0.2.3\n setenv A \"$B\"":                       {"192.0.2.3:80"},
		"presetenv A 192.0.2.1":                                      {"192.0.2.1:80"},
		"setenv A 192.0.2.1\n presetenv A 192.0.2.2":                 {"192.0.2.1:80"},
		"setenv A \"$IP\"":                                           {"10.0.0.1:80"},
		"setenv A \"$NO\"":                                           nil,
		"setenv A 192.0.2.1\n unsetenv A":                            {"0.0.0.0:80"},
		"setenv A \"$IP\"\n resetenv A":                              {"10.0.0.1:80"},
		"setenv A \"$IP\"\n resetenv IP":                             {"0.0.0.0:80"},
		".if defined(X)\n setenv A 192.0.2.1\n .endif":               nil,
		"setenv A 192.0.2.1\n .if defined(X)\n resetenv IP\n .endif": nil,
		"": nil,
	} {
		var got []string
		for _, b := range Bindings([]Source{{"a", "global\n " + text + "\n"},
			{"b", "frontend f\n bind \"${A}:80\"\n"}}, env) {
			got = append(got, b.Addr.String())
		}
		require.Equal(t, want, got, text)
	}
	require.Equal(t, []string{"192.0.2.9:80"}, func() (all []string) {
		for _, b := range Bindings([]Source{{"a", "listen f\n bind \"${A-192.0.2.9}:80\"\n"}}, env) {
			all = append(all, b.Addr.String())
		}
		return all
	}())
	require.Len(t, Binds([]Source{{"a", "listen f\n bind \"${A}:80\"\n"}}, env), 1,
		"it may be any address")
	require.Empty(t, StatsSockets([]Source{{"a", "stats socket \"/run/$A/x\" level admin\n"}}, env))
}

func TestMentions(t *testing.T) {
	for text, want := range map[string]bool{
		`bind "${HAWSER_ANCHOR_IP}:80"`:                           true,
		`bind "$HAWSER_ANCHOR_IP:80"`:                             true,
		"http-response set-header X %[env(HAWSER_ANCHOR_IP)]":     true,
		`bind "${HAWSER_ANCHOR_IPV6}:80"`:                         false,
		`bind "${MY_HAWSER_ANCHOR_IP}:80"`:                        false,
		"  # bind HAWSER_ANCHOR_IP":                               false,
		`bind "${HAWSER_ANCHOR_IP2}:80","${HAWSER_ANCHOR_IP}:80"`: true,
	} {
		require.Equal(t, want, Mentions([]Source{{"a", text}}, "HAWSER_ANCHOR_IP"), text)
	}
}

func TestReadSources(t *testing.T) {
	dir := t.TempDir()
	_, err := ReadSources([]string{dir})
	require.ErrorContains(t, err, "no file *.cfg")
	_, err = ReadSources([]string{filepath.Join(dir, "none")})
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, name := range []string{"b.cfg", "a.cfg", ".hidden.cfg", "a.cfg~"} {
		write(t, filepath.Join(dir, name), name)
	}
	sources, err := ReadSources([]string{dir, filepath.Join(dir, "a.cfg~")})
	require.NoError(t, err)
	require.Equal(t, []Source{{dir + "/a.cfg", "a.cfg"}, {dir + "/b.cfg", "b.cfg"},
		{dir + "/a.cfg~", "a.cfg~"}}, sources)

	empty := t.TempDir() // as /etc/haproxy/conf.d of some distributions
	sources, err = ReadSources([]string{dir + "/a.cfg", empty})
	require.NoError(t, err)
	require.Equal(t, []Source{{dir + "/a.cfg", "a.cfg"}}, sources)
}

func FuzzBinds(f *testing.F) {
	f.Add("bind \"${IP}:80\" # x\nbind '[::]:1-65535'")
	f.Add("bind \"${IP-")
	f.Add("bind \\")
	f.Fuzz(func(t *testing.T, text string) {
		for _, addr := range Binds([]Source{{"a", text}}, env) {
			require.True(t, addr.Addr.IsValid())
		}
	})
}

// TestReadSourcesPassesOver what HAProxy passes over in a directory: everything that is not a file.
func TestReadSourcesPassesOver(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "a.cfg"), 0o700))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "b.cfg"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "c.cfg"), []byte("global\n"), 0o600))
	sources, err := ReadSources([]string{dir})
	require.NoError(t, err)
	require.Equal(t, []Source{{File: filepath.Join(dir, "c.cfg"), Text: "global\n"}}, sources)
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "d.cfg")))
	_, err = ReadSources([]string{dir})
	require.ErrorIs(t, err, os.ErrNotExist, "which HAProxy refuses")
}

// TestHash repeats what its comment says that anybody can.
func TestHash(t *testing.T) {
	dir := t.TempDir()
	var sources []Source
	for _, name := range []string{"a.cfg", "b.cfg"} {
		source := Source{filepath.Join(dir, name), "# " + name + "\nglobal\n"}
		require.NoError(t, os.WriteFile(source.File, []byte(source.Text), 0o600))
		sources = append(sources, source)
	}
	for command, of := range map[string][]Source{
		"sha256sum a.cfg | cut -c1-12": sources[:1],
		"sha256sum " + sources[0].File + " " + sources[1].File + " | sha256sum | cut -c1-12": sources,
	} {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir = dir
		out, err := cmd.Output()
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(string(out)), Hash(of), command)
		require.True(t, IsNamed(of, Hash(of)))
		require.True(t, IsNamed(of, Digest(of)[:hashLength]), "as an earlier version named it")
	}
	require.False(t, IsNamed(sources[1:], Hash(sources[:1])))
}
