/** {@code weft demo}: unmodified services on loopback, a canary policy edited while traffic flows. */
package io.weft.controlplane.demo;
