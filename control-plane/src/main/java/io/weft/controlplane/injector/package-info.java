/** Puts the agent into pods as they are created: a mutating admission webhook of Kubernetes. */
package io.weft.controlplane.injector;
