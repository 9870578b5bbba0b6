using Google.Protobuf.WellKnownTypes;
using Orleans;
using VoiceGrains.Gateway.Agents;
using VoiceGrains.Gateway.Grpc.V1;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.Grains.Agents;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Gateway.Grpc;

/// <summary><c>voicegrains.v1.Agents</c>: the REST handlers, asked in protobuf.</summary>
internal sealed class AgentsService(AgentStore store, CallTemplateRules rules, IGrainFactory grains, ILanguageModelCatalog models) : IGrpcService
{
    public IEnumerable<GrpcMethod> Methods =>
    [
        new UnaryMethod<CreateAgentRequest, Agent>("/voicegrains.v1.Agents/Create", CreateAgentRequest.Parser, CreateAsync),
        new UnaryMethod<GetAgentRequest, Agent>("/voicegrains.v1.Agents/Get", GetAgentRequest.Parser, GetAsync),
        new UnaryMethod<ListAgentsRequest, ListAgentsResponse>("/voicegrains.v1.Agents/List", ListAgentsRequest.Parser, ListAsync),
        new UnaryMethod<UpdateAgentRequest, Agent>("/voicegrains.v1.Agents/Update", UpdateAgentRequest.Parser, UpdateAsync),
        new UnaryMethod<DeleteAgentRequest, Empty>("/voicegrains.v1.Agents/Delete", DeleteAgentRequest.Parser, DeleteAsync),
    ];

    private async Task<Agent> CreateAsync(CreateAgentRequest request, GrpcCall call)
    {
        var body = Body<AgentRequest>.Read(GrpcJson.ToJson(request));
        var created = await AgentEndpoints.CreateAsync(call.Caller, body, rules, grains, models, call.CancellationToken);
        return GrpcJson.FromAnswer<Agent>(created.Value!);
    }

    private async Task<Agent> GetAsync(GetAgentRequest request, GrpcCall call)
    {
        var found = await AgentEndpoints.GetAsync(IdOf(request.AgentId), call.Caller, grains, store, models, call.CancellationToken);
        return GrpcJson.FromAnswer<Agent>(found.Value!);
    }

    private async Task<ListAgentsResponse> ListAsync(ListAgentsRequest request, GrpcCall call)
    {
        var query = GrpcJson.ToQuery(request);
        var page = await AgentEndpoints.FindAsync(query, call.Caller, PageQuery.Read(query), store, models, call.CancellationToken);
        return GrpcJson.FromAnswer<ListAgentsResponse>(page);
    }

    private async Task<Agent> UpdateAsync(UpdateAgentRequest request, GrpcCall call)
    {
        var id = IdOf(request.AgentId);
        request.AgentId = "";       // what is left is the body
        var body = Body<AgentRequest>.Read(GrpcJson.ToJson(request));
        var changed = await AgentEndpoints.UpdateAsync(id, call.Caller, new(null), body, rules, grains, store, models, call.CancellationToken);
        return GrpcJson.FromAnswer<Agent>(changed.Value!);
    }

    private async Task<Empty> DeleteAsync(DeleteAgentRequest request, GrpcCall call)
    {
        await AgentEndpoints.DeleteAsync(IdOf(request.AgentId), call.Caller, new(null), grains);
        return new Empty();
    }

    /// <summary>An id that is none names no agent.</summary>
    internal static Guid IdOf(string agentId)
        => Guid.TryParse(agentId, out var id) ? id : throw new PlatformException(ErrorCode.AgentNotFound, "No Agent matches the given query.");
}
