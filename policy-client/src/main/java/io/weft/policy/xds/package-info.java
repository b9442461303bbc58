/**
 * The ADS stream: gRPC over HTTP/2 on Netty, and on it both variants of xDS. Everything here is confined to one event loop
 * thread.
 */
package io.weft.policy.xds;
