package syntax

import "strings"

// keyword is what may follow one: nothing, a list of lines, or statements of their own.
type keyword struct {
	list  bool
	once  bool // a second block of the same name is passed over
	below keywords
}

type keywords map[string]keyword

// words are keywords that nothing but words follows, and lists; a list has a * behind it.
func words(text string) keywords {
	all := keywords{}
	for _, word := range strings.Fields(text) {
		name, list := strings.CutSuffix(word, "*")
		all[name] = keyword{list: list}
	}
	return all
}

func (k keywords) with(name string, below keywords) keywords {
	k[name] = keyword{below: below}
	return k
}

// isNamed reports whether a list has a name behind its keyword.
func isNamed(word string) bool { return word == "virtual_server_group" }

// topLevel are the keywords of keepalived 2.2.7 as Debian builds it.
func topLevel() keywords {
	all := words(`linkbeat_use_polling net_namespace net_namespace_ipvs namespace_with_ipsets
		use_pid_dir instance child_wait_time static_ipaddress* static_routes* static_rules*
		linkbeat_interfaces* interface_up_down_delays* virtual_server_group*`).
		with("global_defs", globals()).
		with("track_group", words("group*")).
		with("garp_group", words("garp_interval gna_interval interface interfaces*")).
		with("vrrp_script", words("script interval timeout weight rise fall user init_fail")).
		with("vrrp_track_process", words(`process param_match weight quorum quorum_max delay
			terminate_delay fork_delay full_command`)).
		with("vrrp_track_file", words("file weight init_file")).
		with("track_file", words("file weight init_file")).
		with("bfd_instance", words("neighb"+`or_ip source_ip neighbour_ip min_rx min_tx idle_tx multiplier
			passive ttl hoplimit max_hops weight vrrp checker`)).
		with("SSL", words("password ca certificate key")).
		with("virtual_server", virtualServer())
	all["vrrp_sync_group"] = keyword{once: true, below: words(`group* track_interface* track_script*
		track_file* track_process* track_bfd* notify notify_master notify_backup notify_fault notify_stop
		smtp_alert global_tracking sync_group_tracking_weight notify_priority_changes`)}
	all["vrrp_instance"] = keyword{once: true, below: instance()}
	return all
}

func instance() keywords {
	return words(`state interface vrf use_vmac use_vmac_addr vmac_xmit_base use_ipvlan unicast_peer*
		unicast_fault_no_peer check_unicast_src unicast_src_ip unicast_ttl old_unicast_checksum
		native_ipv6 dont_track_primary track_interface* track_script* track_file* track_process*
		track_bfd* mcast_src_ip mcast_dst_ip track_src_ip virtual_router_id version priority advert_int
		virtual_ipaddress* virtual_ipaddress_excluded* promote_secondaries linkbeat_use_polling
		virtual_routes* virtual_rules* accept no_accept skip_check_adv_addr strict_mode preempt
		nopreempt preempt_delay debug notify notify_master notify_backup notify_fault notify_stop
		notify_deleted notify_master_rx_lower_pri notify_priority_changes smtp_alert
		lvs_sync_daemon_interface garp_master_delay garp_master_refresh garp_master_repeat
		garp_master_refresh_repeat garp_lower_prio_delay garp_lower_prio_repeat garp_extra_if
		vmac_garp_intvl down_timer_adverts lower_prio_no_advert higher_prio_send_advert
		kernel_rx_buf_size`).
		with("authentication", words("auth_type auth_pass"))
}

func globals() keywords {
	return words(`process_names process_name vrrp_process_name checker_process_name lvs_process_name
		bfd_process_name router_id notification_email* notification_email_from smtp_server
		smtp_helo_name smtp_connect_timeout smtp_alert smtp_alert_vrrp smtp_alert_checker
		checker_log_all_failures no_email_faults no_checker_emails startup_script
		startup_script_timeout shutdown_script shutdown_script_timeout max_auto_priority
		min_auto_priority_delay dynamic_interfaces default_interface disable_local_igmp lvs_timeouts
		lvs_flush lvs_flush_on_stop lvs_flush_onstop lvs_sync_daemon vrrp_mcast_group4
		vrrp_mcast_group6 vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh
		vrrp_garp_master_refresh_repeat vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat
		vrrp_down_timer_adverts vrrp_garp_interval vrrp_gna_interval vrrp_min_garp vrrp_garp_extra_if
		vrrp_vmac_garp_intvl vrrp_lower_prio_no_advert vrrp_higher_prio_send_advert vrrp_version
		vrrp_iptables vrrp_ipsets nftables nftables_priority nftables_ifindex nftables_ipvs
		nftables_ipvs_priority nftables_ipvs_start_fwmark nftables_counters vrrp_check_unicast_src
		vrrp_skip_check_adv_addr vrrp_strict vrrp_priority vrrp_no_swap vrrp_rt_priority
		vrrp_cpu_affinity vrrp_rlimit_rttime vrrp_rlimit_rtime notify_fifo notify_fifo_script
		vrrp_notify_fifo vrrp_notify_fifo_script vrrp_notify_priority_changes
		fifo_write_vrrp_states_on_reload lvs_notify_fifo lvs_notify_fifo_script checker_priority
		checker_no_swap checker_rt_priority checker_cpu_affinity checker_rlimit_rttime
		checker_rlimit_rtime bfd_priority bfd_no_swap bfd_rt_priority bfd_cpu_affinity
		bfd_rlimit_rttime bfd_rlimit_rtime snmp_socket enable_traps enable_snmp_vrrp
		enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3
		enable_snmp_checker enable_dbus dbus_service_name script_user enable_script_security
		vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs
		vrrp_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs process_monitor_rcv_bufs_force
		lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs
		lvs_netlink_monitor_rcv_bufs_force rs_init_notifies vrrp_rx_bufs_policy
		vrrp_rx_bufs_multiplier vrrp_startup_delay log_unknown_vrids vmac_prefix vmac_addr_prefix
		umask random_seed reload_check_config reload_time_file reload_repeat reload_file
		include_check config_save_dir tmp_config_directory data_use_instance`)
}

// virtualServer are the keywords of LVS, which is not VRRP's: they are known so that one that is
// misspelt does what it does in keepalived.
func virtualServer() keywords {
	connection := "connect_ip connect_port bindto bind_port bind_if connect_timeout fwmark "
	common := "retry delay_before_retry warmup delay_loop alpha log_all_failures "
	http := func() keywords {
		return words(connection+common+"nb_get_retry virtualhost http_protocol enable_sni "+
			"fast_recovery").
			with("url", words(`path digest status_code virtualhost regex regex_no_match regex_options
				regex_min_offset regex_max_offset regex_stack`))
	}
	real := words(`weight lvs_method uthreshold lthreshold inhibit_on_failure notify_up notify_down
		alpha retry delay_before_retry warmup connect_timeout delay_loop smtp_alert virtualhost
		snmp_name`).
		with("MISC_CHECK", words(common+"misc_path misc_timeout misc_dynamic user")).
		with("SMTP_CHECK", words(connection+common+"helo_name").
			with("host", words(connection+common))).
		with("TCP_CHECK", words(connection+common)).
		with("PING_CHECK", words(connection+common)).
		with("UDP_CHECK", words(connection+common+"payload require_reply min_reply_length "+
			"max_reply_length")).
		with("HTTP_GET", http()).with("SSL_GET", http()).
		with("DNS_CHECK", words(connection+common+"type name")).
		with("FILE_CHECK", words("track_file weight")).
		with("BFD_CHECK", words("name alpha"))
	return words(`ip_family retry delay_before_retry warmup connect_timeout delay_loop
		inhibit_on_failure lb_algo lvs_sched hashed ops flag-1 flag-2 flag-3 sh-port sh-fallback mh-port
		mh-fallback lb_kind lvs_method persistence_engine persistence_timeout
		persistence_granularity protocol ha_suspend smtp_alert virtualhost snmp_name alpha omega
		quorum_up quorum_down quorum hysteresis weight sorry_server sorry_server_inhibit
		sorry_server_lvs_method`).
		with("real_server", real)
}
