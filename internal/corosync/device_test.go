package corosync_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/corosync/corosynctest"
	"github.com/hawser-ha/hawser/internal/golden"
)

// TestDeviceConf compares what is written for clusters with a quorum device with files that are
// kept, has Corosync itself check each, and reads it back.
func TestDeviceConf(t *testing.T) {
	const v4 = "10.132.0.%d"
	for name, c := range map[string]struct {
		nodes  int
		device corosync.Device
		votes  int
	}{
		"device-2":   {2, corosync.Device{Host: "qnetd.example.org"}, 1},
		"device-4":   {4, corosync.Device{Host: "10.132.0.5"}, 1},
		"device-lms": {3, corosync.Device{Host: "2001:db8::5", Algorithm: corosync.LMS, TLS: "required"}, 2},
		"device-all": {4, corosync.Device{
			Host: "qnetd", Port: 5503, TLS: "off", TieBreaker: "3",
			Timeout: 2 * time.Second, SyncTimeout: 5 * time.Second,
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			made := cluster(c.nodes, corosync.LAN, v4)
			made.Device = &c.device
			require.NoError(t, made.Validate())
			require.Equal(t, c.votes, c.device.Votes(c.nodes))
			golden.Equal(t, name+".conf", made.Conf())
			corosynctest.Accepts(t, made.Conf(), "lb-1")

			read, err := corosync.ParseConf(made.Conf())
			require.NoError(t, err)
			require.NotNil(t, read.Device)
			made.Device = read.Device
			golden.Equal(t, name+".conf", made.Conf())
		})
	}
}

// TestNoDevice reads a configuration without one, and one of a model that is not known.
func TestNoDevice(t *testing.T) {
	read, err := corosync.ParseConf(cluster(2, corosync.LAN, "10.132.0.%d").Conf())
	require.NoError(t, err)
	require.Nil(t, read.Device)
	_, err = corosync.ParseConf("quorum {\n\tdevice {\n\t\tmodel: disk\n\t}\n}\n")
	require.ErrorContains(t, err, `model "disk"`)
}

func TestDeviceValidate(t *testing.T) {
	for want, c := range map[string]struct {
		nodes  int
		device corosync.Device
	}{
		"neither an IP address nor a host name": {4, corosync.Device{Host: "a b"}},
		`"" is neither`:                         {4, corosync.Device{}},
		"none does at 127.0.0.1":                {4, corosync.Device{Host: "127.0.0.1"}},
		"even number of nodes, not for 3":       {3, corosync.Device{Host: "qnetd"}},
		"two and more":                          {1, corosync.Device{Host: "qnetd", Algorithm: "lms"}},
		`algorithm "2nodelms"`:                  {2, corosync.Device{Host: "qnetd", Algorithm: "2nodelms"}},
		`tls "yes"`:                             {2, corosync.Device{Host: "qnetd", TLS: "yes"}},
		`tie breaker "first"`:                   {2, corosync.Device{Host: "qnetd", TieBreaker: "first"}},
		"timeout 1s: corosync-qdevice accepts":  {2, corosync.Device{Host: "qnetd", Timeout: time.Second}},
	} {
		made := cluster(c.nodes, corosync.LAN, "10.132.0.%d")
		made.Device = &c.device
		require.ErrorContains(t, made.Validate(), want)
	}
}
