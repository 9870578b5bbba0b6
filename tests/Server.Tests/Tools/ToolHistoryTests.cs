using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Tools;

public sealed class ToolHistoryTests(SiloFixture silo)
{
    private const string HangUp = "/api/tools/56294126-5a7d-4948-b67d-3b7e13d55ea7/history";

    [Fact]
    public async Task History_HasTheCallsThatUsedTheTool_WithTheirFailures_NewestFirst()
    {
        using var client = await silo.CreateClientAsync();
        using var other = await silo.CreateClientAsync();
        var toolId = (await client.PostAsync("/api/tools", ToolEndpointTests.Client("look"))).Json.GetProperty("toolId").GetString();
        const string selection = """{"selectedTools":[{"toolName":"look","nameOverride":"see"},{"toolName":"hangUp"},{"temporaryTool":{"modelToolName":"temp","client":{}}}]}""";
        var history = $"/api/tools/{toolId}/history";
        var first = await CallAsync(client, selection, ("see", "HTTP 500"), ("see", null), ("see", "timeout"), ("temp", "x"));
        var second = await CallAsync(client, selection, ("hangUp", null), ("see", null));
        var third = await CallAsync(client, selection, ("temp", null));
        await CallAsync(other, """{"selectedTools":[{"toolName":"hangUp"}]}""", ("hangUp", "x"));

        var used = (await client.GetAsync(history)).Json;
        await OpenApiContract.AssertMatchesAsync("PaginatedToolHistoryList", used);
        Assert.Equal([(second, 0), (first, 2)], Uses(used));
        Assert.Equal([(second, 0)], Uses((await client.GetAsync(HangUp)).Json));
        Assert.Equal(1, Assert.Single(Uses((await other.GetAsync(HangUp)).Json)).Errors);
        var page = (await client.GetAsync(history + "?pageSize=1")).Json;
        Assert.Equal([(first, 2)], Uses((await client.GetAsync(page.GetProperty("next").GetString()!)).Json));
        Assert.DoesNotContain(third, used.GetRawText(), StringComparison.Ordinal);

        await client.DeleteAsync($"/api/calls/{first}");
        Assert.Equal([(second, 0)], Uses((await client.GetAsync(history)).Json));
    }

    /// <summary>A call that used tools, as its conversation writes it down: each use twice, as after a lost answer of the database.</summary>
    private async Task<string> CallAsync(ApiClient client, string body, params (string Tool, string? Failure)[] uses)
    {
        var call = (await client.PostAsync("/api/calls", body)).Json;
        var callId = call.GetProperty("callId").GetString()!;
        var grain = silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(callId);
        var stage = (await grain.JoinAsync(call.GetProperty("joinUrl").GetString()!.Split('/')[^1], null)).Stage.CallStageId;
        var journal = silo.Services.GetRequiredService<ICallJournal>();
        for (var i = 0; i < 4 * uses.Length; i++)
        {
            var (use, isResult) = (i / 2 % uses.Length, i % 2 == 1);
            journal.Write(callId, 1, new Message
            {
                Role = isResult ? MessageRole.ToolResult : MessageRole.ToolCall, Text = "{}", InvocationId = $"i{use}", ToolName = uses[use].Tool,
                ErrorDetails = isResult ? uses[use].Failure : null, CallStageId = stage, CallStageMessageIndex = i % (2 * uses.Length), Medium = MessageMedium.Text,
            });
        }
        await journal.FlushAsync(callId, SiloFixture.Cancel);
        return callId;
    }

    private static List<(string CallId, int Errors)> Uses(JsonElement page)
        => [.. page.GetProperty("results").EnumerateArray().Select(use => (use.GetProperty("call").GetProperty("callId").GetString()!, use.GetProperty("errorCount").GetInt32()))];
}
