package vagrant

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/needs"
)

// setup is a machine on which share/setup-balancer runs: an /etc/corosync of its own, and programs that remember what they were told.
type setup struct {
	*world
	etc string
}

const packages = "pacemaker pacemaker-cli-utils corosync crmsh haproxy ca-certificates hawser"

// newSetup is lb-1, on which these packages are installed.
func newSetup(t *testing.T, installed string) *setup {
	t.Helper()
	needs.Root(t)
	w := newWorld(t)
	s := &setup{world: w, etc: filepath.Join(filepath.Dir(w.dir), "etc")}
	require.NoError(t, os.MkdirAll(filepath.Join(filepath.Dir(w.dir), "units"), 0o755))
	require.NoError(t, os.MkdirAll(s.etc, 0o755))
	for _, name := range []string{"chown", "cmp", "diff", "install", "md5sum", "mv", "realpath", "wc"} {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(w.bin, name)))
	}
	s.file(t, "installed", installed)
	s.fake(t, "uname", "echo lb-1")
	s.fake(t, "getent", "echo 10.132.0.1$(echo $2 | tr -d lb-)")
	s.fake(t, "ip", "echo '3: eth1    inet 10.132.0.11/16 scope global eth1'; echo '4: eth2    inet 10.133.0.11/16 scope global eth2'")
	s.fake(t, "dpkg", "echo amd64")
	s.fake(t, "dpkg-query", `case "$3" in *Conffiles*) cat "$WORLD/conffiles" 2>/dev/null; exit 0 ;; esac
for p in $(cat "$WORLD/installed"); do [ "$p" != "$4" ] || { echo installed && exit 0; }; done
exit 1`)
	s.fake(t, "apt-get", `echo "apt-get $*" >>"$WORLD/calls"; case $1 in install) shift 8; echo "$* hawser" >>"$WORLD/installed" ;; esac`)
	s.fake(t, "systemctl", `verb=$1; shift
units=(); for word; do case $word in --*) ;; *) units+=("$word") ;; esac; done
case $verb in
is-active) [ -e "$WORLD/units/${units[0]}.active" ] && { [ "$1" = --quiet ] || echo active; } || { [ "$1" = --quiet ] || echo inactive; exit 3; } ;;
is-enabled) cat "$WORLD/units/${units[0]}.is" 2>/dev/null && exit 1
	[ -e "$WORLD/units/${units[0]}.enabled" ] && echo enabled || { echo disabled; exit 1; } ;;
*)
	[ ${#units[@]} -gt 0 ] || { echo 'Too few arguments.' >&2; exit 1; } # as systemctl 252 has it
	echo "systemctl $verb ${units[*]}" >>"$WORLD/calls"
	for unit in "${units[@]}"; do
		case $verb in
		start) touch "$WORLD/units/$unit.active" ;;
		stop) rm -f "$WORLD/units/$unit.active" ;;
		enable) touch "$WORLD/units/$unit.enabled" ;;
		disable) rm -f "$WORLD/units/$unit.enabled" "$WORLD/units/$unit.active" ;;
		unmask) rm -f "$WORLD/units/$unit.is" ;;
		esac
	done ;;
esac`)
	s.fake(t, "corosync-keygen", `echo corosync-keygen >>"$WORLD/calls"; [ "$1" = -k ] || exit 1; head -c 256 /dev/zero >"$2"; chmod 0400 "$2"`)
	s.fake(t, "corosync-cfgtool", `echo "corosync-cfgtool $*" >>"$WORLD/calls"`)
	s.fake(t, "crm_mon", `echo '<node name="lb-1" id="1" online="true" standby="false" pending="false" unclean="false"/>'`)
	s.fake(t, "crm_node", "echo 'lb-1 '")
	program, err := hawser()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(program, filepath.Join(w.bin, "hawser")))
	return s
}

// run runs the script with these arguments.
func (s *setup) run(t *testing.T, args ...string) (int, string) {
	t.Helper()
	script, err := filepath.Abs("../share/setup-balancer")
	require.NoError(t, err)
	etc := "/etc/corosync"
	needs.File(t, etc)
	inside := append([]string{"--mount", "sh", "-ec", `mount --bind "$0" ` + etc + `; exec "$@"`, s.etc, script}, args...)
	cmd := exec.CommandContext(t.Context(), "unshare", inside...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit, "%s", out)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func (s *setup) read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.etc, name))
	require.NoError(t, err)
	return string(b)
}

func (s *setup) forget(t *testing.T) {
	t.Helper()
	s.file(t, "calls", "")
}

var two = []string{"lb-1=10.132.0.11", "lb-2=10.132.0.12"}

func TestSetupOfTheFirst(t *testing.T) {
	s := newSetup(t, "")
	s.file(t, "hawser.deb", "")
	args := append([]string{"--disable-haproxy-service", "--package", filepath.Join(filepath.Dir(s.dir), "hawser.deb")}, two...)
	s.file(t, "units/haproxy.service.enabled", "")
	code, out := s.run(t, args...)
	require.Zero(t, code, "%s", out)
	calls := s.calls(t)
	require.Contains(t, calls, "apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold pacemaker pacemaker-cli-utils corosync crmsh haproxy ca-certificates /")
	require.Less(t, strings.Index(calls, "systemctl mask corosync.service pacemaker.service haproxy.service"), strings.Index(calls, "apt-get install"), "no daemon starts as it is installed")
	require.Less(t, strings.Index(calls, "apt-get install"), strings.Index(calls, "systemctl unmask corosync.service pacemaker.service haproxy.service"))
	require.Contains(t, calls, "systemctl disable haproxy.service")
	require.Contains(t, calls, "systemctl start corosync.service\nsystemctl start pacemaker.service\n")

	conf := s.read(t, "corosync.conf")
	for _, line := range []string{
		"crypto_cipher: aes256", "crypto_hash: sha256", "transport: knet", "cluster_name: hawser", "token: 3000", "two_node: 1",
		"ring0_addr: 10.132.0.12",
	} {
		require.Contains(t, conf, "\t"+line+"\n")
	}
	parsed, err := corosync.ParseConf(conf)
	require.NoError(t, err)
	require.Equal(t, 2, parsed.Nodes)
	require.Len(t, s.read(t, "authkey"), 256)
	st, err := os.Stat(filepath.Join(s.etc, "authkey"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o400), st.Mode().Perm())

	s.forget(t)
	code, out = s.run(t, args...)
	require.Zero(t, code, "%s", out)
	require.Empty(t, s.calls(t), "the second time nothing is changed: %s", out)
	require.Equal(t, conf, s.read(t, "corosync.conf"))
}

func TestSetupOfThreeWithTwoLinks(t *testing.T) {
	s := newSetup(t, packages)
	key := filepath.Join(filepath.Dir(s.dir), "key")
	s.file(t, "key", strings.Repeat("k", 128))
	code, out := s.run(t, "--authkey", key, "--token=5000", "--cluster-name", "east", "lb-1=10.132.0.11,10.133.0.11", "lb-2=10.132.0.12,10.133.0.12", "lb-3=10.132.0.13,10.133.0.13")
	require.Zero(t, code, "%s", out)
	conf := s.read(t, "corosync.conf")
	require.NotContains(t, conf, "two_node")
	parsed, err := corosync.ParseConf(conf)
	require.NoError(t, err)
	require.Equal(t, []int{3, 2}, []int{parsed.Nodes, parsed.Links})
	require.Equal(t, int64(5000), parsed.Token.Milliseconds())
	require.NotContains(t, s.calls(t), "corosync-keygen")
	require.Equal(t, strings.Repeat("k", 128), s.read(t, "authkey"))
	require.Contains(t, out, "note: lb-2 is not there yet")
	require.Contains(t, out, "keeps UDP ports 5405 to 5406 away")
}

// TestSetupWhereTheClusterRuns is on a machine that lacks no more than crmsh: nothing has to be kept from being started.
func TestSetupWhereTheClusterRuns(t *testing.T) {
	s := newSetup(t, strings.ReplaceAll(packages, "crmsh ", ""))
	for _, unit := range []string{"corosync", "pacemaker"} {
		s.file(t, "units/"+unit+".service.active", "")
	}
	s.file(t, "etc/corosync.conf", "totem {\n\tversion: 2\n}\n")
	code, out := s.run(t, append([]string{"--replace"}, two...)...)
	require.Zero(t, code, "%s", out)
	require.Contains(t, s.calls(t), "crmsh")
	require.NotContains(t, s.calls(t), "mask")
}

// TestSetupWaitsForApt, which updates a machine that has just booted by itself. Its option for that is not heeded by apt-get update.
func TestSetupWaitsForApt(t *testing.T) {
	s := newSetup(t, "hawser")
	s.fake(t, "apt-get", `echo "apt-get $*" >>"$WORLD/calls"
case $1 in
update) [ -e "$WORLD/over" ] || { touch "$WORLD/over"; echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)' >&2; exit 100; } ;;
esac`)
	code, out := s.run(t, two...)
	require.Zero(t, code, "%s", out)
	require.Equal(t, 2, strings.Count(s.calls(t), "apt-get update"))
	require.Contains(t, s.calls(t), "apt-get install")
}

// TestSetupAfterAKill of a run that had units masked.
func TestSetupAfterAKill(t *testing.T) {
	s := newSetup(t, packages)
	for _, unit := range []string{"corosync", "haproxy"} {
		s.file(t, "units/"+unit+".service.is", "masked-runtime\n")
	}
	code, out := s.run(t, two...)
	require.Zero(t, code, "%s", out)
	calls := s.calls(t)
	require.Contains(t, calls, "systemctl unmask haproxy.service")
	require.Less(t, strings.Index(calls, "systemctl unmask corosync.service"), strings.Index(calls, "systemctl start corosync.service"))
}

// TestSetupStopsNobodyBeforeItIsRefused: what serves keeps running when the rest is refused.
func TestSetupStopsNobodyBeforeItIsRefused(t *testing.T) {
	s := newSetup(t, packages)
	s.file(t, "units/haproxy.service.enabled", "")
	s.file(t, "units/haproxy.service.active", "")
	s.file(t, "etc/corosync.conf", "totem {\n\tversion: 2\n}\n")
	code, out := s.run(t, append([]string{"--disable-haproxy-service"}, two...)...)
	require.Equal(t, 1, code, "%s", out)
	require.Contains(t, out, "exists and is different")
	require.Empty(t, s.calls(t))
}

// TestSetupSaysWhereTheKeyIs in words that scp takes.
func TestSetupSaysWhereTheKeyIs(t *testing.T) {
	for first, want := range map[string]string{
		"10.132.0.12,10.133.0.12": "scp root@10.132.0.12:/etc/corosync/authkey /root/authkey", "fd00::12,fd01::12": "scp root@[fd00::12]:/etc/corosync/authkey /root/authkey",
	} {
		s := newSetup(t, packages)
		code, out := s.run(t, "lb-2="+first, "lb-1=10.132.0.11,10.133.0.11")
		require.Equal(t, 1, code, "%s", out)
		require.Contains(t, out, want)
	}
}

// TestSetupFindsItsAddress however the interface has it.
func TestSetupFindsItsAddress(t *testing.T) {
	for have, own := range map[string]string{
		"inet 10.132.0.11 peer 10.132.0.1/32 scope global": "10.132.0.11", "inet6 fd00::11/64 scope global": "FD00::11",
	} {
		s := newSetup(t, packages)
		s.fake(t, "ip", "echo '3: eth1    "+have+"'")
		code, out := s.run(t, "lb-1="+own, "lb-2=10.132.0.12")
		require.Zero(t, code, "%s", out)
	}
	s := newSetup(t, packages)
	s.fake(t, "ip", "echo '3: eth1    inet 10.132.0.12 peer 10.132.0.11/32 scope global'")
	code, out := s.run(t, two...)
	require.Equal(t, 1, code, "%s", out)
	require.Contains(t, out, "10.132.0.11 is not an address of this machine")
}

// TestSetupGrows: a running Corosync learns of another node without a restart.
func TestSetupGrows(t *testing.T) {
	three := append(append([]string{}, two...), "lb-3=10.132.0.13")
	grown := func(t *testing.T, change func(string) string, args ...string) (calls, conf string) {
		t.Helper()
		s := newSetup(t, packages)
		code, out := s.run(t, two...)
		require.Zero(t, code, "%s", out)
		s.file(t, "etc/corosync.conf", change(s.read(t, "corosync.conf")))
		s.forget(t)
		code, out = s.run(t, append([]string{"--replace"}, args...)...)
		require.Zero(t, code, "%s", out)
		return s.calls(t), s.read(t, "corosync.conf")
	}
	same := func(conf string) string { return conf }
	const restart = "systemctl stop pacemaker.service\nsystemctl stop corosync.service\nsystemctl start corosync.service\nsystemctl start pacemaker.service\n"

	calls, conf := grown(t, same, three...)
	require.Equal(t, "corosync-cfgtool -R\n", calls)
	require.Contains(t, conf, "ring0_addr: 10.132.0.13")
	require.NotContains(t, conf, "two_node")
	calls, _ = grown(t, same, append([]string{"--token", "2000"}, three...)...)
	require.Equal(t, "corosync-cfgtool -R\n", calls, "times too")

	for name, change := range map[string]func(string) string{
		"another cluster": func(conf string) string {
			return strings.ReplaceAll(conf, "cluster_name: hawser", "cluster_name: debian")
		},
		"no encryption":   func(conf string) string { return strings.ReplaceAll(conf, "aes256", "none") },
		"another address": func(conf string) string { return strings.ReplaceAll(conf, "10.132.0.12", "10.132.0.99") },
		"the nodes' ids swapped": func(conf string) string {
			return strings.NewReplacer("nodeid: 1", "nodeid: 2", "nodeid: 2", "nodeid: 1").Replace(conf)
		},
	} {
		calls, _ := grown(t, change, three...)
		require.Equal(t, restart, calls, name)
	}
	calls, _ = grown(t, same, "lb-1=10.132.0.11", "lb-3=10.132.0.13")
	require.Equal(t, restart, calls, "a node that has gone")
}

// TestSetupKeepsLinks that an operator's own management of files has made.
func TestSetupKeepsLinks(t *testing.T) {
	s := newSetup(t, packages)
	require.NoError(t, os.Mkdir(filepath.Join(s.etc, "managed"), 0o700))
	for name, content := range map[string]string{"corosync.conf": "totem {\n\tversion: 2\n}\n", "authkey": strings.Repeat("k", 256)} {
		s.file(t, "etc/managed/"+name, content)
		require.NoError(t, os.Symlink("managed/"+name, filepath.Join(s.etc, name)))
	}
	require.NoError(t, os.Chmod(filepath.Join(s.etc, "managed", "authkey"), 0o400))
	s.file(t, "key", strings.Repeat("n", 256))
	args := append([]string{"--replace", "--authkey", filepath.Join(filepath.Dir(s.dir), "key")}, two...)
	code, out := s.run(t, args...)
	require.Zero(t, code, "%s", out)
	require.Contains(t, s.read(t, "managed/corosync.conf"), "aes256")
	require.Equal(t, strings.Repeat("n", 256), s.read(t, "managed/authkey"))
	s.forget(t)
	code, out = s.run(t, args...)
	require.Zero(t, code, "%s", out)
	require.NotContains(t, out, "chmod", "the second time nothing is changed")
}

func TestSetupLeavesTheServiceAlone(t *testing.T) {
	s := newSetup(t, packages)
	s.file(t, "units/haproxy.service.enabled", "")
	code, out := s.run(t, two...)
	require.Zero(t, code, "%s", out)
	require.Contains(t, out, "to do: haproxy.service is enabled and inactive")
	require.Contains(t, out, "systemctl disable --now haproxy.service")
	require.NotContains(t, s.calls(t), "haproxy.service")
}

func TestSetupShowsWhatItWouldDo(t *testing.T) {
	s := newSetup(t, packages)
	s.file(t, "units/haproxy.service.enabled", "")
	code, out := s.run(t, append([]string{"--dry-run", "--disable-haproxy-service"}, two...)...)
	require.Zero(t, code, "%s", out)
	for _, text := range []string{
		"would run: systemctl disable --now --quiet haproxy.service", "would write /etc/corosync/corosync.conf:", "        crypto_cipher: aes256", "would run: corosync-keygen",
		"would run: systemctl start corosync.service", "would wait up to 120 s until lb-1 is online",
	} {
		require.Contains(t, strings.ReplaceAll(out, "    \t", "        "), text)
	}
	require.Empty(t, s.calls(t))
	entries, err := os.ReadDir(s.etc)
	require.NoError(t, err)
	require.Empty(t, entries, "nothing is written")
}

// TestSetupShowsWithoutHawser, which the package brings that it would install.
func TestSetupShowsWithoutHawser(t *testing.T) {
	s := newSetup(t, "")
	require.NoError(t, os.Remove(filepath.Join(s.bin, "hawser")))
	s.file(t, "hawser.deb", "")
	s.file(t, "etc/corosync.conf", "totem {\n\tversion: 2\n}\n")
	code, out := s.run(t, append([]string{"--dry-run", "--package", filepath.Join(filepath.Dir(s.dir), "hawser.deb")}, two...)...)
	require.Zero(t, code, "%s", out)
	require.Contains(t, out, "would write /etc/corosync/corosync.conf, unless it is so already")
	require.Contains(t, out, "hawser corosync-conf --cluster-name hawser --network cloud --node lb-1=10.132.0.11 --node lb-2=10.132.0.12\n")
	require.Empty(t, s.calls(t))
}

func TestSetupReplaces(t *testing.T) {
	s := newSetup(t, packages)
	s.file(t, "etc/corosync.conf", "totem {\n\tversion: 2\n}\n")
	s.file(t, "etc/authkey", strings.Repeat("k", 256))
	for _, unit := range []string{"corosync", "pacemaker"} {
		s.file(t, "units/"+unit+".service.active", "")
	}
	code, out := s.run(t, two...)
	require.Equal(t, 1, code)
	require.Contains(t, out, "/etc/corosync/corosync.conf exists and is different")
	require.Contains(t, out, "--replace")
	require.Contains(t, out, "+\tcrypto_cipher: aes256", "the difference is shown")
	require.Empty(t, s.calls(t))

	code, out = s.run(t, append([]string{"--replace"}, two...)...)
	require.Zero(t, code, "%s", out)
	require.Equal(t, "totem {\n\tversion: 2\n}\n", s.read(t, "corosync.conf.old"))
	require.Contains(t, s.calls(t), "systemctl stop pacemaker.service\nsystemctl stop corosync.service\nsystemctl start corosync.service\nsystemctl start pacemaker.service\n")
}

// A quorum device's vote is not taken away in passing.
func TestSetupKeepsAQuorumDevice(t *testing.T) {
	s := newSetup(t, packages)
	conf := "totem {\n\tversion: 2\n}\nquorum {\n\tprovider: corosync_votequorum\n\tdevice {\n\t\tmodel: net\n\t}\n}\n"
	s.file(t, "etc/corosync.conf", conf)
	s.file(t, "etc/authkey", strings.Repeat("k", 256))
	code, out := s.run(t, append([]string{"--replace"}, two...)...)
	require.Equal(t, 1, code)
	require.Contains(t, out, "/etc/corosync/corosync.conf has a quorum device, which this script cannot write")
	require.Contains(t, out, "corosync-cfgtool -R")
	require.Equal(t, conf, s.read(t, "corosync.conf"))
	require.Empty(t, s.calls(t))
}

func TestSetupTakesThePackagesOwnFileForNone(t *testing.T) {
	s := newSetup(t, packages)
	s.file(t, "etc/corosync.conf", "totem {\n\tversion: 2\n}\n")
	sum, err := exec.CommandContext(t.Context(), "md5sum", filepath.Join(s.etc, "corosync.conf")).Output()
	require.NoError(t, err)
	s.file(t, "conffiles", fmt.Sprintf(" /etc/corosync/corosync.conf %s\n", strings.Fields(string(sum))[0]))
	code, out := s.run(t, two...)
	require.Zero(t, code, "%s", out)
	require.Contains(t, s.read(t, "corosync.conf"), "aes256")
}

func TestSetupRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, s *setup)
		args  []string
		code  int
		says  []string
	}{
		"no nodes":             {nil, nil, 2, []string{"a cluster has at least two nodes"}},
		"an unknown option":    {nil, []string{"--force"}, 2, []string{"there is no option --force"}},
		"no value":             {nil, []string{"--token"}, 2, []string{"--token needs a value"}},
		"a word":               {nil, []string{"lb-1"}, 2, []string{`"lb-1" is not NAME=ADDRESS`}},
		"no address":           {nil, []string{"lb-1=10.132.0.11", "lb-2=10.132.0.999"}, 2, []string{`"10.132.0.999" is not an IP address`}},
		"a name in capitals":   {nil, []string{"lb-1=10.132.0.11", "LB-1=10.132.0.12"}, 2, []string{"LB-1 is given twice"}},
		"a name twice":         {nil, []string{"lb-1=10.132.0.11", "lb-1=10.132.0.12"}, 2, []string{"lb-1 is given twice"}},
		"an address twice":     {nil, []string{"lb-1=10.132.0.11", "lb-2=10.132.0.11"}, 2, []string{"10.132.0.11 is given twice"}},
		"unequal links":        {nil, []string{"lb-1=10.132.0.11,10.133.0.11", "lb-2=10.132.0.12"}, 2, []string{"every link has to reach every node"}},
		"another machine's":    {nil, []string{"lb-8=10.132.0.11", "lb-9=10.132.0.12"}, 2, []string{"none of lb-8 lb-9 is this machine: uname -n says lb-1", "hostnamectl"}},
		"an address elsewhere": {nil, []string{"lb-1=10.132.0.77", "lb-2=10.132.0.12"}, 1, []string{"10.132.0.77 is not an address of this machine, lb-1"}},
		"an unknown network":   {nil, append([]string{"--network", "wan"}, two...), 2, []string{"--network wan"}},
		"a key too short": {
			func(t *testing.T, s *setup) { s.file(t, "etc/key", "short") }, append([]string{"--authkey", "/etc/corosync/key"}, two...), 1,
			[]string{"has 5 bytes", "scp root@10.132.0.11:/etc/corosync/authkey"},
		},
		"half a key, of a keygen that was killed": {
			func(t *testing.T, s *setup) { s.file(t, "etc/authkey", "short") }, two, 1, []string{"/etc/corosync/authkey has 5 bytes", "remove it"},
		},
		"a unit that is masked": {
			func(t *testing.T, s *setup) { s.file(t, "units/pacemaker.service.is", "masked\n") }, two, 1,
			[]string{"pacemaker.service is masked", "systemctl unmask pacemaker.service"},
		},
		"the port of a second link": {
			func(t *testing.T, s *setup) {
				s.fake(t, "ss", `case "$*" in *:5406) echo 'UNCONN 0 0 10.133.0.11:5406 0.0.0.0:* users:(("other",pid=7,fd=6))' ;; esac`)
			}, []string{"lb-1=10.132.0.11,10.133.0.11", "lb-2=10.132.0.12,10.133.0.12"}, 1, []string{"UDP port 5406, Corosync's, is taken", "other"},
		},
		"another key": {
			func(t *testing.T, s *setup) {
				s.file(t, "etc/key", strings.Repeat("a", 128))
				s.file(t, "etc/authkey", strings.Repeat("b", 128))
			}, append([]string{"--authkey", "/etc/corosync/key"}, two...), 1,
			[]string{"/etc/corosync/authkey exists and is not the key in /etc/corosync/key", "--replace"},
		},
		"not the first, and no key": {
			nil, []string{"lb-2=10.132.0.12", "lb-1=10.132.0.11"}, 1, []string{"scp root@10.132.0.12:/etc/corosync/authkey"},
		},
		"the port is taken": {
			func(t *testing.T, s *setup) {
				s.fake(t, "ss", `echo 'UNCONN 0 0 10.132.0.11:5405 0.0.0.0:* users:(("other",pid=7,fd=6))'`)
			}, two, 1, []string{"UDP port 5405, Corosync's, is taken", "other"},
		},
		"no hawser": {
			func(t *testing.T, s *setup) {
				s.file(t, "installed", "corosync")
				require.NoError(t, os.Remove(filepath.Join(s.bin, "hawser")))
			}, two, 1, []string{"the package hawser is not installed", "--package FILE"},
		},
		"a hawser that is not in PATH": {
			func(t *testing.T, s *setup) { require.NoError(t, os.Remove(filepath.Join(s.bin, "hawser"))) }, two, 1,
			[]string{"there is no hawser in PATH=", "/usr/sbin", "install the package again"},
		},
		"a hawser of before": {
			func(t *testing.T, s *setup) {
				s.fake(t, "hawser", `echo "hawser: hawser has no command \"$1\"" >&2; exit 2`)
			}, two, 1, []string{`hawser: hawser has no command "corosync-conf"`, "is older than this script"},
		},
		"hawser from make install": {
			func(t *testing.T, s *setup) { s.file(t, "installed", strings.TrimSuffix(packages, " hawser")) }, two, 0, []string{"lb-1 is online"},
		},
		"apt fails": {
			func(t *testing.T, s *setup) {
				s.file(t, "installed", "hawser")
				s.fake(t, "apt-get", `[ "$1" = update ] || { echo 'E: Unable to locate package pacemaker' >&2; exit 100; }`)
			}, two, 1, []string{"E: Unable to locate package pacemaker", "apt-get could not install"},
		},
		"never online": {
			func(t *testing.T, s *setup) { s.fake(t, "crm_mon", "exit 102") }, append([]string{"--wait", "1"}, two...), 1,
			[]string{"lb-1 is not online after 1 s", "corosync-cfgtool -s", "5405", "journalctl"},
		},
		"Corosync does not start": {
			func(t *testing.T, s *setup) {
				s.fake(t, "systemctl", `case "$1" in start) exit 1 ;; is-active) exit 3 ;; esac`)
			}, two, 1, []string{"corosync.service does not start", "journalctl --boot --unit corosync.service"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSetup(t, packages)
			if c.spoil != nil {
				c.spoil(t, s)
			}
			code, out := s.run(t, c.args...)
			require.Equal(t, c.code, code, "%s", out)
			for _, text := range c.says {
				require.Contains(t, out, text)
			}
			if c.code == 2 {
				require.Empty(t, s.calls(t), "nothing is done")
			}
		})
	}
}
