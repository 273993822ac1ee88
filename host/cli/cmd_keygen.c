/* `slipway keygen`: a new signing key. */
#include <jansson.h>
#include <stdio.h>

#include "host/cli/args.h"
#include "host/cli/commands.h"
#include "host/cli/files.h"

static int run(struct cli *cli, int argc, char **argv);

const struct cli_command cmd_keygen = {
    .name = "keygen",
    .summary = "make a signing key (ECDSA P-256)",
    .help = "  slipway keygen my.pem\n"
            "  slipway keygen my.pem && slipway pubkey my.pem > my.pub.pem\n\n"
            "usage: slipway keygen KEY.pem\n\n"
            "Writes a new private key as PKCS#8 in PEM, as imgtool does, into a new file that only you\n"
            "can read. A file that is there is never overwritten. Whoever has this file can sign images\n"
            "that your boards start: keep it out of repositories, and keep a copy, as boards that know\n"
            "only a lost key can never be updated again.\n",
    .run = run,
};

static int create(const struct cli *cli, const char *path, const struct key *k)
{
    char why[KEY_WHY_LEN], hash_hex[2 * CRYPTO_SHA256_LEN + 1];
    uint8_t hash[CRYPTO_SHA256_LEN];

    switch (key_create(k, path, why)) {
    case KEY_CREATED:
        break;
    case KEY_EXISTS:
        return cli_fail(cli, EXIT_FILE, "file_exists",
            "a key is never overwritten: a lost one cannot be made again\nnothing was changed",
            "another name, or remove the file yourself", "%s exists", path);
    case KEY_FAILED:
    default:
        return cli_fail(cli, EXIT_FILE, "file", why, NULL, "cannot write the key to %s", path);
    }
    key_hash(k, hash);
    hex_text(hash, sizeof hash, hash_hex);
    if (!cli->json)
        printf("%s: new ECDSA P-256 key, key hash %s\n", path, hash_hex);
    cli_event(cli, "result", "{s:b, s:s, s:s}", "ok", 1, "file", path, "keyhash", hash_hex);
    return EXIT_DONE;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct args a = args_of(cli, &cmd_keygen, argc, argv);
    const char *path = NULL;

    while (args_next(&a)) {
        if (args_operand(&a) && !path)
            path = args_operand(&a);
        else
            args_unknown(&a);
    }
    if (a.wrong)
        return EXIT_USAGE;
    if (!path)
        return cli_usage(cli, &cmd_keygen, "keygen needs the name of the file to write");
    struct key *k = key_generate();
    if (!k)
        return cli_fail(cli, EXIT_FAILED, "openssl", "nothing was written", NULL,
            "OpenSSL cannot make a P-256 key");
    int rc = create(cli, path, k);
    key_free(k);
    return rc;
}
