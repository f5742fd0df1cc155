package systemd

import (
	"math"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/stretchr/testify/require"
)

func TestParseEnvironment(t *testing.T) {
	require.Equal(t, []string{
		"CONFIG=/etc/haproxy/haproxy.cfg", "EXTRAOPTS=-S /run/haproxy-master.sock", "B=two words", "C=goes on", `D=a "b" \n $x`,
		`E=a\nb`, "F=", "G=#no comment", "H=ab", "LAST=word",
	}, parseEnvironment(`# Defaults file for HAProxy
; and another comment
CONFIG=/etc/haproxy/haproxy.cfg
EXTRAOPTS="-S /run/haproxy-master.sock"
  B =  two words  `+`
C=goes \
on
D="a \"b\" \n \$x"
E='a\nb'
F=
no assignment
1X=not a name
G=#no comment
H=a'b'
LAST=word`))
	require.Empty(t, parseEnvironment(""))
	require.Empty(t, parseEnvironment("# x"))
}

func FuzzParseEnvironment(f *testing.F) {
	f.Add("A=\"b\\\nc\"\n#\nD='")
	f.Fuzz(func(t *testing.T, text string) {
		for _, entry := range parseEnvironment(text) {
			require.Contains(t, entry, "=")
		}
	})
}

func TestResources(t *testing.T) {
	v := dbus.MakeVariant
	got := map[string]any{}
	for _, p := range resources(map[string]dbus.Variant{
		"Slice": v("web.slice"), "MemoryMax": v(uint64(1 << 30)), "MemoryHigh": v(uint64(math.MaxUint64)), "MemorySwapMax": v(uint64(0)),
		"TasksMax": v(uint64(math.MaxUint64)), "CPUWeight": v(uint64(math.MaxUint64)), "MemoryLow": v(uint64(0)), "CPUAccounting": v(true),
		"IOAccounting": v(false), "AllowedCPUs": v([]byte{}), "ManagedOOMSwap": v("auto"), "SendSIGKILL": v(false), "KillMode": v("mixed"),
		"TimeoutStopUSec": v(uint64(5000000)),
	}) {
		got[p.Name] = p.Value.Value()
	}
	require.Equal(t, map[string]any{
		"Slice": "web.slice", "MemoryMax": uint64(1 << 30), "MemorySwapMax": uint64(0), "TasksMax": uint64(math.MaxUint64), "CPUAccounting": true,
		"SendSIGKILL": false, "TimeoutStopUSec": uint64(5000000),
	}, got)
}

func TestSettingsOf(t *testing.T) {
	v := dbus.MakeVariant
	s := settingsOf(map[string]dbus.Variant{
		"LimitNOFILE": v(uint64(4096)), "LimitNOFILESoft": v(uint64(1024)), "OOMScoreAdjust": v(int32(-500)), "UMask": v(uint32(0o27)),
		"ProtectSystem": v("full"), "PrivateTmp": v(true), "ProtectHome": v("no"), "User": v("haproxy"),
		"Nice": v("of another type"), // by a systemd that is to come
	})
	require.Equal(t, map[string]Limit{"LimitNOFILE": {1024, 4096}}, s.Limits)
	require.Equal(t, -500, s.OOMScoreAdjust)
	require.EqualValues(t, 0o27, s.UMask)
	require.Zero(t, s.Nice)
	require.EqualValues(t, uint64(math.MaxUint64), s.Bounding, "a systemd that does not say takes nothing away")
	require.Equal(t, "haproxy", s.User)
	require.Equal(t, []string{"PrivateTmp", "ProtectSystem"}, s.Ignored)
}

func TestCommandsOf(t *testing.T) {
	words := []string{"/usr/sbin/haproxy", "-f", "$CONFIG"}
	s := settingsOf(map[string]dbus.Variant{ // as they come from the bus
		"ExecStart": dbus.MakeVariant([][]any{{"/usr/sbin/haproxy", words, false, uint64(1), uint64(2), uint64(3), uint64(4), uint32(5),
			int32(1), int32(0)}}),
		"ExecReload": dbus.MakeVariant("of another type"), "ExecStopPost": dbus.MakeVariant([][]any{}),
	})
	require.Equal(t, map[string][]Command{"ExecStart": {{"/usr/sbin/haproxy", words}}}, s.Commands)
}

func TestScopeName(t *testing.T) {
	require.Equal(t, "hawser-haproxy:0.scope", ScopeName("hawser-haproxy:0"))
	require.Equal(t, `hawser-\xc3\xa4\x20b.scope`, ScopeName("hawser-ä b"))
}
