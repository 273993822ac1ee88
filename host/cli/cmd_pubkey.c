/* `slipway pubkey`: the public half of a key. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/cli/args.h"
#include "host/cli/commands.h"
#include "host/cli/files.h"

static int run(struct cli *cli, int argc, char **argv);

const struct cli_command cmd_pubkey = {
    .name = "pubkey",
    .summary = "print the public half of a key",
    .help = "  slipway pubkey my.pem > my.pub.pem\n"
            "  slipway pubkey --json my.pem\n\n"
            "usage: slipway pubkey KEY.pem\n\n"
            "Writes the public half to stdout, as SubjectPublicKeyInfo in PEM. KEY.pem may be a private\n"
            "or a public key. This is what goes into a bootloader and to whoever has to verify images.\n",
    .run = run,
};

static int show(const struct cli *cli, const char *path, const struct key *k)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    char hash_hex[2 * CRYPTO_SHA256_LEN + 1];
    char *pem = key_public_pem(k);

    if (!pem)
        return cli_fail(cli, EXIT_FAILED, "openssl", NULL, NULL, "OpenSSL cannot write the public half of %s", path);
    key_hash(k, hash);
    hex_text(hash, sizeof hash, hash_hex);
    if (!cli->json)
        fputs(pem, stdout);
    cli_event(cli, "result", "{s:b, s:s, s:s, s:s, s:b}", "ok", 1, "file", path, "pem", pem, "keyhash",
        hash_hex, "private", key_is_private(k));
    free(pem);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct args a = args_of(cli, &cmd_pubkey, argc, argv);
    const char *path = NULL;
    char why[KEY_WHY_LEN];

    while (args_next(&a)) {
        if (args_operand(&a) && !path)
            path = args_operand(&a);
        else
            args_unknown(&a);
    }
    if (a.wrong)
        return EXIT_USAGE;
    if (!path)
        return cli_usage(cli, &cmd_pubkey, "pubkey needs the file of a key");
    struct key *k = key_read(path, why);
    if (!k)
        return cli_fail(cli, EXIT_FILE, "key_file", why, NULL, "cannot read the key %s", path);
    int rc = show(cli, path, k);
    key_free(k);
    return rc;
}
