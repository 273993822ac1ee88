/* zcbor_print.h asks for it; nothing here prints. */
