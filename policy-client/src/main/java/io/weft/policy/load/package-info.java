/** What a control plane is told of the load that this process makes, when it asks: Envoy's load reporting service without protobuf. */
package io.weft.policy.load;
