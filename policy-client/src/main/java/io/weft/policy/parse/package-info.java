/**
 * xDS resources in, records of {@link io.weft.policy.model} out, all or nothing for each resource.
 *
 * <p>Every field of every message that is read falls into one of three groups: it is honoured; or it changes nothing that an
 * operator meant for the traffic and is listed in {@link io.weft.policy.model.Unhonoured}; or the resource is refused with the
 * field's path. Security is in the third group.
 */
package io.weft.policy.parse;
