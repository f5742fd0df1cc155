package haproxy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRefused(t *testing.T) {
	const fatal = "[ALERT]    (7) : config : Fatal errors found in configuration.\n"
	require.Nil(t, Refused(""))
	require.Nil(t, Refused("[ALERT]    (7) : Starting frontend f: cannot bind socket (Address "+
		"already in use) [0.0.0.0:80]\n[ALERT]    (7) : [haproxy.main()] Some protocols failed to "+
		"start their listeners! Exiting.\n"))
	for text, unresolved := range map[string]bool{
		"[ALERT]    (7) : config : [/a:9] : 'server f/s' : could not resolve address 'x.invalid'.\n" +
			"[ALERT]    (7) : config : Failed to initialize server(s) addr.\n": true, //nolint:misspell // HAProxy's
		"[ALERT]    (7) : config : parsing [/a:3] : 'bind' : invalid address: 'x.invalid' in 'x.invalid:80'\n" +
			"[ALERT]    (7) : config : Error(s) found in configuration file : /a\n" + fatal: true,
		"[ALERT]    (7) : config : parsing [/a:3] : 'bind' : invalid address: '1.2.3.400' in '1.2.3.400:80'\n" + fatal: false,
		"[ALERT]    (7) : config : [/a:9] : 'server f/s' : could not resolve address 'x.invalid'.\n" +
			"[ALERT]    (7) : config : parsing [/a:3] : unknown keyword 'x' out of section.\n" + fatal: false,
		fatal: false,
		"[ALERT]    (7) : config : [/a:9] : 'server f/s' : could not resolve address 'x.invalid'.\n" + fatal +
			"[ALERT]    (6) : Process 7 exited with code 1 (Exit)\n": true,
	} {
		refused := Refused(text)
		require.NotNil(t, refused, text)
		require.Equal(t, unresolved, refused.Unresolved, text)
	}
	require.Equal(t, "/a:9: 'server f/s' : could not resolve address 'x.invalid'.",
		Refused("[ALERT]    (7) : config : [/a:9] : 'server f/s' : could not resolve address 'x.invalid'.\n"+fatal).Complaint)
	require.Equal(t, "/a:19: The 'program' section is deprecated.", Complaint("[WARNING]  (7) : config : "+
		"parsing [/a:8] : 'pidfile' already specified. Continuing.\n[WARNING]  (7) : config : parsing [/a:19]: "+
		"The 'program' section is deprecated.\n"+fatal))
}
