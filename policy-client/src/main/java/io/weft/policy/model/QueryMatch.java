package io.weft.policy.model;

import java.util.Optional;

/**
 * {@code envoy.config.route.v3.QueryParameterMatcher}.
 *
 * @param match empty: the parameter only has to be there
 */
public record QueryMatch(String name, Optional<StringMatch> match) {}
