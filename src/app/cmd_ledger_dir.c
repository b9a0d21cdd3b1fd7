/* cmd_ledger_dir.c - see cmd_ledger_dir.h. */
#include "app/cmd_ledger_dir.h"

#include <unistd.h>

#include "app/cmd_load.h"
#include "ledger/segment.h"

int cmd_ledger_dir_in(const struct cli *c, const char *dir, char *to)
{
    char inside[FILE_PATH_MAX + 32];
    (void)snprintf(inside, sizeof(inside), "%s/" SEGMENT_FOLDER, dir);
    bool is_ledger = access(inside, F_OK) == 0;
    int len =
        snprintf(to, FILE_PATH_MAX, "%s%s", dir, is_ledger ? "" : "/ledger");
    if (len >= (int)FILE_PATH_MAX)
        return cli_fail(c, "the path of the ledger is too long");
    return CLI_OK;
}

int cmd_ledger_dir(const struct cli *c, char *to)
{
    char data[FILE_PATH_MAX];
    int code = cmd_load_data(c, data);
    return code == CLI_OK ? cmd_ledger_dir_in(c, data, to) : code;
}
