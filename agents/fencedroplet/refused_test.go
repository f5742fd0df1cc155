package fencedroplet_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab/cloud"
)

// Bad input and refusals: the reason, exit code 1, and everything stays on.
func TestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		token  string
		lines  []string
		before func(*stage)
		reason string
	}{
		"unknown name": {lines: []string{"port=lb-9"},
			reason: `cannot find the droplet "lb-9": this token sees no such droplet`},
		"unknown id": {lines: []string{"port=9999"},
			reason: `cannot find the droplet "9999": no such droplet (the API says 404`},
		"another case": {lines: []string{"port=LB-2"},
			reason: `cannot find the droplet "LB-2": this token sees no such droplet`},
		"unknown tag": {lines: []string{"port=tag:none"},
			reason: `this token sees no such droplet`},
		"two of a name": {lines: []string{"port=twin"},
			reason: `2 match: droplet 2001 (twin), droplet 2002 (twin): give the id in pcmk_host_map`},
		"two of a tag": {lines: []string{"port=tag:lb"},
			reason: `2 match: droplet 1001 (lb-1), droplet 1002 (lb-2)`},
		"without the tag": {lines: []string{"port=db", "tag=lb"},
			reason: `droplet 3001 (db) does not have the tag lb, and only those that have it are considered`},
		"an id without it": {lines: []string{"port=3001", "tag=lb"},
			reason: `does not have the tag lb`},
		"no droplet named": {reason: "parameter plug is not set: off needs a " +
			"machine"},
		"no name at all": {lines: []string{"port=../v2/account"},
			reason: `that is not a droplet's id, not a name`},
		"two names": {lines: []string{"port=lb-1,lb-2"},
			reason: `that is not a droplet's id, not a name`},
		"itself": {lines: []string{"port=lb-1"},
			reason: "refused: droplet 1001 (lb-1) is the droplet that this runs on: is the host " +
				"map right"},
		"itself by id": {lines: []string{"port=1001"},
			reason: "is the droplet that this runs on"},
		"a token that reads": {token: reader, lines: []string{"port=lb-2"},
			reason: "cannot power droplet 1002 (lb-2) off: the token lacks a right (the API says " +
				"403"},
		"a token that cannot": {token: blind, lines: []string{"port=lb-2"},
			reason: "the token lacks a right (the API says 403"},
		"a tag that the token may not ask for": {token: blind, lines: []string{"port=tag:left"},
			reason: "it needs the scopes droplet:read, droplet:update and tag:read"},
		"a token refused": {token: "dop_v1_other",
			lines: []string{"port=lb-2"}, reason: "the token is refused (the API says 401"},
		"a token of two": {token: "a b", lines: []string{"port=lb-2"},
			reason: "holds more than a token"},
		"a token that others may read": {lines: []string{"port=lb-2"}, before: func(s *stage) {
			require.NoError(s.t, os.Chmod(s.tokenFile, 0o644))
		},
			reason: "is open to others (mode 0644): chmod 0600"},
		"no token": {lines: []string{"port=lb-2"}, before: func(s *stage) {
			require.NoError(s.t, os.Remove(s.tokenFile))
		}, reason: "is missing on this node"},
		"a wrong origin": {lines: []string{"port=lb-2", "api_url=ftp://x"},
			reason: `parameter api_url="ftp://x" is not an origin`},
		"a token in place": {lines: []string{"port=lb-2", "token_file=" + token},
			reason: "parameter token_file is not an absolute path"},
		"a wrong time": {lines: []string{"port=lb-2", "power_timeout=soon"},
			reason: `parameter power_timeout="soon" is not a number of seconds`},
		"an action": {lines: []string{"port=lb-2", "action=destroy"},
			reason: `no action "destroy": there are list, list-status, monitor, off, on`},
		"a droplet gone": {lines: []string{"port=lb-2"}, before: func(s *stage) {
			s.SetFault(cloud.Fault{Kind: cloud.Status, Status: 404, Match: "GET /v2/droplets/1002"})
		}, reason: "lb-2 is not known to be off: cannot power droplet 1002 (lb-2) off: no such " +
			"droplet (the API says 404"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, action := range []string{"off", "reboot"} {
				s := newStage(t)
				if test.token != "" {
					s.token(test.token)
				}
				if test.before != nil {
					test.before(s)
				}
				lines := append([]string{"action=" + action}, test.lines...)
				r := s.run(lines...)
				require.Equal(t, 1, r.code, r.stderr)
				require.Contains(t, r.stderr, strings.Replace(test.reason, "off needs",
					action+" needs", 1))
				require.Empty(t, r.stdout)
				for _, d := range s.State().Droplets {
					require.False(t, d.Off, d.Name)
				}
			}
		})
	}
}

func TestItself(t *testing.T) {
	t.Run("known from a note while the metadata service is down", func(t *testing.T) {
		s := newStage(t)
		require.Equal(t, 0, s.run("action=monitor").code)
		s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus})
		s.at.Addresses = nil
		require.Contains(t, s.run("action=off", "port=lb-1").stderr,
			"is the droplet that this runs on")
		require.Equal(t, 0, s.run("action=off", "port=lb-2").code)
	})
	t.Run("known by its address", func(t *testing.T) {
		s := newStage(t)
		s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus})
		r := s.run("action=off", "port=lb-1")
		require.Equal(t, 1, r.code)
		require.Contains(t, r.stderr,
			"refused: droplet 1001 (lb-1) has the address 198.51.100.11, which is this machine's")
		require.True(t, s.on(1001))
	})
	t.Run("not known at all", func(t *testing.T) {
		s := newStage(t)
		s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus})
		r := s.run("action=off", "port=db") // which has no addresses
		require.Equal(t, 1, r.code)
		require.Contains(t, r.stderr,
			"refused: it is not known whether droplet 3001 (db) is the droplet that this runs "+
				"on: cannot find out which droplet this is")
		require.True(t, s.on(3001))
	})
}
