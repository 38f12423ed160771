"""Writes to boards, threads and posts, by idea: posting, editing, voting, acceptance, thread tools …"""
