/** Progressive delivery: one version of a service takes over from another by a policy that is rewritten step by step. */
package io.weft.controlplane.rollout;
