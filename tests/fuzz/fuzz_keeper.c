/* layers: keeper */
/*
 * fuzz_keeper.c - request frames of a hostile client to the key process.
 *
 * The first byte is the client's role, the rest its frames.  A frame is
 * answered only when its role and length are those of the protocol; a session
 * gets one key; no key is given out before it is committed; every answer is
 * one frame that fits.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "keeper/keeper_file.h"
#include "keeper/keeper_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* In memory, so that nothing here waits for a disk. */
static char dir_path[] = "/dev/shm/writ-fuzz-keeper-XXXXXX";
static int dir = -1;
static struct keeper_keys *keys;

static void clean_up(void)
{
    (void)unlinkat(dir, KEEPER_KEYS_FILE, 0);
    (void)rmdir(dir_path);
    keeper_keys_free(keys);
}

static void set_up(void)
{
    const char *why;
    check(mkdtemp(dir_path) != NULL);
    check(keeper_file_open_dir(dir_path, &dir) == ERR_OK);
    check(keeper_keys_load(dir, &keys, &why) == ERR_OK);
    check(atexit(clean_up) == 0);
}

static void check_answer(struct keeper_answer a, bool committed)
{
    struct buf out;
    buf_init(&out, FRAME_HEAD_LEN + KEEPER_ANSWER_MAX);
    uint16_t type = a.type;
    keeper_request_write(&out, &a, committed);
    check(buf_ok(&out));
    struct frame f;
    size_t used;
    check(frame_next(buf_str(&out), &f, &used) == ERR_OK && used == out.len);
    check(f.type == type && f.payload.len >= 1);
    bool has_key = f.payload.ptr[0] == KEEPER_OK;
    check(f.payload.len == (has_key ? KEEPER_ANSWER_MAX : 1));
    check(!has_key || committed || type == KEEPER_CALLER_KEY);
    buf_release(&out);
}

static void check_frame(struct keeper_state *s, enum frame_role role,
                        const struct frame *f, bool committed)
{
    bool worker = role == FRAME_ROLE_WORKER || role == FRAME_ROLE_CONTROL;
    bool caller_key = f->type == KEEPER_CALLER_KEY && f->payload.len == 0 &&
                      (worker || role == FRAME_ROLE_TOOL);
    bool session_key = f->type == KEEPER_SESSION_KEY_NEW &&
                       f->payload.len == KEEPER_SESSION_ID_LEN && worker;
    bool old_key = f->type == KEEPER_SESSION_KEY_GET &&
                   f->payload.len == KEEPER_SESSION_ID_LEN && worker;
    bool fits = f->flags == 0 && (caller_key || session_key || old_key);

    check(keeper_records_loaded(s->records) ||
          keeper_records_load(s->records, SIZE_MAX) == ERR_OK);
    bool had = (session_key || old_key) &&
               keeper_records_has(s->records, (const void *)f->payload.ptr);
    struct keeper_answer a;
    enum err e = keeper_request_handle(s, role, f, &a);
    check((e == ERR_OK) == fits);
    if (e != ERR_OK)
        return;
    check((a.status == KEEPER_EXISTS) == (session_key && had));
    /* Nothing is committed here. */
    check(!old_key || a.status == KEEPER_MISSING || a.status == KEEPER_FAILED);
    check(a.staged == (session_key && a.status == KEEPER_OK));
    check_answer(a, committed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (dir < 0)
        set_up();
    if (size == 0)
        return 0;
    struct keeper_state s = {.keys = keys, .now_us = 1};
    check(seal_key_new(keys->payload, &s.payload) == ERR_OK);
    check(keeper_records_open(dir, (struct siphash_key){1, 2}, &s.records) ==
          ERR_OK);

    enum frame_role role = (enum frame_role)(data[0] & 7);
    struct str left = {(const char *)data + 1, size - 1};
    struct frame f;
    size_t used;
    while (frame_next(left, &f, &used) == ERR_OK && used > 0) {
        check_frame(&s, role, &f, (data[0] & 8) != 0);
        left = str_skip(left, used);
    }

    keeper_records_close(s.records);
    seal_key_free(s.payload);
    (void)unlinkat(dir, KEEPER_RECORDS_FILE, 0);
    return 0;
}
