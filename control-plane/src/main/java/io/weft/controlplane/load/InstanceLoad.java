package io.weft.controlplane.load;

import java.util.List;

/**
 * What callers say of one instance.
 *
 * @param load successes and errors of the newest whole stretch of each of them, all together
 * @param ejectedBy the services of which at least one instance leaves it out because of its failures
 */
public record InstanceLoad(Load load, List<String> ejectedBy) {}
