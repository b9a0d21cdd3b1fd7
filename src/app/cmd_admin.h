/*
 * cmd_admin.h - the commands that speak to a running node, and the options
 * that each takes; for the table in main.c.
 */
#ifndef APP_CMD_ADMIN_H
#define APP_CMD_ADMIN_H

#include "app/cli.h"

extern const struct cli_option cmd_agent_list_options[];
extern const struct cli_option cmd_agent_show_options[];
extern const struct cli_option cmd_agent_add_options[];
extern const struct cli_option cmd_agent_adopt_options[];
extern const struct cli_option cmd_agent_state_options[];
extern const struct cli_option cmd_agent_rotate_options[];
int cmd_agent_list(const struct cli *c);
int cmd_agent_show(const struct cli *c);
int cmd_agent_add(const struct cli *c);
int cmd_agent_adopt(const struct cli *c);
int cmd_agent_suspend(const struct cli *c);
int cmd_agent_resume(const struct cli *c);
int cmd_agent_retire(const struct cli *c);
int cmd_agent_rotate(const struct cli *c);

extern const struct cli_option cmd_session_list_options[];
extern const struct cli_option cmd_session_end_options[];
int cmd_session_list(const struct cli *c);
int cmd_session_end(const struct cli *c);

extern const struct cli_option cmd_budget_options[];
int cmd_budget_list(const struct cli *c);
int cmd_budget_show(const struct cli *c);

extern const struct cli_option cmd_tool_list_options[];
extern const struct cli_option cmd_tool_options[];
extern const struct cli_option cmd_tool_approve_options[];
int cmd_tool_list(const struct cli *c);
int cmd_tool_show(const struct cli *c);
int cmd_tool_diff(const struct cli *c);
int cmd_tool_approve(const struct cli *c);

extern const struct cli_option cmd_approval_list_options[];
extern const struct cli_option cmd_approval_options[];
extern const struct cli_option cmd_approval_decide_options[];
int cmd_approval_list(const struct cli *c);
int cmd_approval_show(const struct cli *c);
int cmd_approval_approve(const struct cli *c);
int cmd_approval_deny(const struct cli *c);

extern const struct cli_option cmd_login_options[];
int cmd_login(const struct cli *c);

#endif
