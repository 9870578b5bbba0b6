using System.Text.Json;

namespace VoiceGrains.Server.Tests.Negative;

/// <summary>Every operation, asked with text that has broken servers before: in its path, its query and each field of its body.</summary>
[Collection(NegativeCollection.Name)]
public sealed class HostileInputTests(NegativeHost host)
{
    private IEnumerable<ApiOperation> Served => host.Operations.Where(operation => operation.IsServed);

    [Fact]
    public Task InPaths_NothingIsThere() => AskAsync(
        from operation in host.Operations
        from parameter in operation.Parameters
        from text in HostileText.Escaped
        where parameter != "index" || !int.TryParse(text, out _)
        // A slash in an id, or none at all, may make another path of it; methods differ there.
        select Ask(operation, operation.Path(name => name == parameter ? text : host.Ours.Value(operation)(name)), Probe.Is(400, 404, 405, 414, operation.IsServed ? 404 : 501)));

    [Fact]
    public Task InQueries_ItIsFoundOrRefused() => AskAsync(
        from operation in Served
        where operation.Method is "GET"
        from name in operation.QueryNames
        from text in Some(HostileText.Escaped, $"{operation} {name}", 2)
        select Ask(operation, $"{Path(operation)}?{name}={text}", operation.IsOpen ? Probe.Is(200, 400, 404, 406) : Probe.Is(200, 400, 404, 414)));

    [Fact]
    public Task InNamesOfQueryParameters_ItIsIgnoredOrRefused() => AskAsync(
        from operation in Served
        where operation.Method is "GET"
        from text in Some(HostileText.Escaped, $"{operation}", 6)
        select Ask(operation, $"{Path(operation)}?{text}={text}&metadata.{text}={text}&&=&=x", Probe.Anything));

    [Fact]
    public Task Cursors_ThatAreNone_400Or404() => AskAsync(
        from operation in Served
        where operation.IsList
        from cursor in HostileText.Cursors
        select Ask(operation, $"{Path(operation)}?cursor={cursor}", operation.Route.EndsWith("/invoices", StringComparison.Ordinal) ? Probe.Anything : Probe.Is(400, 404)));

    [Fact]
    public Task PageSizes_OutOfBounds_AreCutOrRefused() => AskAsync(
        from operation in Served
        where operation.IsList
        from size in HostileText.PageSizes
        select Ask(operation, $"{Path(operation)}?pageSize={size}", size == "2147483647" ? Probe.Is(200, 400, 404) : Probe.Is(400)));

    [Fact]
    public Task QueryParametersGivenTwice_400OrAList() => AskAsync(
        from operation in Served
        where operation.Method is "GET"
        from name in operation.QueryNames
        select Ask(operation, $"{Path(operation)}?{name}=1&{name}=2", Probe.Is(200, 400, 404)));

    [Fact]
    public async Task InEachFieldOfEachBody_ItIsStoredOrRefused_AndOnlyWhatWasAnswered201IsThere()
    {
        var made = new System.Collections.Concurrent.ConcurrentDictionary<ApiOperation, int>();
        var probes = new List<Probe>();
        foreach (var operation in Served.Where(operation => operation.TakesJson))
        {
            var sample = await host.SampleAsync(operation, host.Ours);
            var each = operation.Parameters.Count == 0 || operation.Method == "PATCH" ? 2 : 1;
            probes.AddRange(HostileBodies.For(operation.BodySchema, sample, each).Select(body => Ask(operation, Path(operation), answer => Count(operation, answer)) with
            {
                Body = NegativeHost.Json(body), Note = body,
            }));
        }
        var collections = Served.Where(operation => operation is { Method: "GET", Parameters.Count: 0 } && Served.Any(other => other.Method == "POST" && other.Route == operation.Route)).ToList();
        var before = await TotalsAsync(collections);
        await AskAsync(probes);
        var expected = before.ToDictionary(total => total.Key, total => total.Value + made.Where(m => Lists(m.Key, total.Key)).Sum(m => m.Value));
        Assert.Equal(expected, await TotalsAsync(collections));
        await DeleteCallsAsync();
        Assert.True(made.Values.Sum() > 0, "Nothing of it was ever right: only the first check was met.");

        string? Count(ApiOperation operation, Answer answer)
        {
            if (answer.Status == 201) made.AddOrUpdate(operation, 1, (_, count) => count + 1);
            return Probe.Is(200, 201, 204, 400, 404, 409, 422)(answer);
        }
    }

    /// <summary>Calls that nobody joins end by themselves, while other tests look for changes.</summary>
    private async Task DeleteCallsAsync()
    {
        var (list, delete) = (Served.Single(operation => $"{operation}" == "GET /api/calls"), Served.Single(operation => $"{operation}" == "DELETE /api/calls/{callId}"));
        while (true)
        {
            var page = await host.SendAsync(Ask(list, "/api/calls?pageSize=100", Probe.Anything), TestContext.Current.CancellationToken);
            var ids = JsonDocument.Parse(page.Text).RootElement.GetProperty("results").EnumerateArray().Select(call => call.GetProperty("callId").GetString()!).Except(host.Ours.Values.Values).ToList();
            if (ids.Count == 0) return;
            await AskAsync(ids.Select(id => Ask(delete, $"/api/calls/{id}", Probe.Is(204))));
        }
    }

    /// <summary>Whether what the operation creates is in that list.</summary>
    private static bool Lists(ApiOperation create, string list) => create.Route == list || (list == "/api/calls" && create.Route.EndsWith("/calls", StringComparison.Ordinal));

    private async Task<Dictionary<string, int>> TotalsAsync(IEnumerable<ApiOperation> lists)
    {
        var totals = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var list in lists)
        {
            var answer = await host.SendAsync(Ask(list, list.Route, Probe.Anything), TestContext.Current.CancellationToken);
            if (JsonDocument.Parse(answer.Text).RootElement.TryGetProperty("total", out var total)) totals[list.Route] = total.GetInt32();
        }
        return totals;
    }

    /// <summary>Every so-manyth, beginning at a place that follows from the seed: places take turns.</summary>
    private static IEnumerable<string> Some(string[] texts, string seed, int every) => texts.Where((_, i) => i % every == seed.Sum(c => c) % every);

    private string Path(ApiOperation operation) => operation.Path(host.Ours.Value(operation));

    private Probe Ask(ApiOperation operation, string path, Func<Answer, string?> judge) => new(operation, path, judge) { Key = host.Ours.Key };

    private async Task AskAsync(IEnumerable<Probe> probes)
    {
        var sweep = new Sweep(host);
        await sweep.RunAsync(probes);
        sweep.AssertClean();
    }
}
