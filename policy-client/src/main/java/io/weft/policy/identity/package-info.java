/**
 * Who this process is, where it does not get key and certificate from the control plane by SDS: by a certificate request, so that
 * the key never leaves it, by the SPIFFE Workload API, or from files that something else keeps fresh.
 */
package io.weft.policy.identity;
