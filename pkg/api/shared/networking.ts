export const networkingGroup = "networking.k8s.io";
