import { google, grpc, types } from "#gen/network";
import type { CodecTable } from "../contract.ts";

export const codecs: CodecTable<
  "updateInterface" | "updateRoutes" | "listInterfaces" | "listRoutes" | "addARPNeighbors"
> = {
  updateInterface: { request: grpc.UpdateInterfaceRequest, response: types.Interface },
  updateRoutes: { request: grpc.UpdateRoutesRequest, response: grpc.Routes },
  listInterfaces: { request: grpc.ListInterfacesRequest, response: grpc.Interfaces },
  listRoutes: { request: grpc.ListRoutesRequest, response: grpc.Routes },
  addARPNeighbors: { request: grpc.AddARPNeighborsRequest, response: google.protobuf.Empty },
};
