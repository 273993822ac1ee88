/* Nothing of it: p256-m includes it. */
