/**
 * The policy as Envoy's API means it, as immutable values: what the parser makes of xDS resources and what the data plane
 * reads. A record exists only for what is honoured; what is not is refused or listed in {@link Unhonoured}.
 */
package io.weft.policy.model;
