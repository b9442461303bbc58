package io.weft.it.comparison;

import java.util.Optional;

/**
 * @param difference empty: none
 * @param refused both sides refused the configuration, so nothing was sent
 */
record Verdict(Case one, Optional<Difference> difference, boolean refused) {}
