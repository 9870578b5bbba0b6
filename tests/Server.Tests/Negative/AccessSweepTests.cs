namespace VoiceGrains.Server.Tests.Negative;

/// <summary>Every operation, asked by those who may not.</summary>
[Collection(NegativeCollection.Name)]
public sealed class AccessSweepTests(NegativeHost host)
{
    private const string Unknown = "Zk9Ht7Lm.wX7pN9fM3kLj6tRq2bGhA8yE5cZvD4sT";

    /// <summary>Parameters of served operations for which no account owns anything.</summary>
    private static readonly string[] Unowned = [];

    [Fact]
    public async Task WithoutAKeyThatHolds_EveryOperationIsRefused_AndNothingIsDone()
    {
        var before = await host.SnapshotAsync();
        var sweep = new Sweep(host);
        var closed = host.Operations.Where(operation => !operation.IsOpen).ToList();
        await sweep.RunAsync(closed.SelectMany(operation => Refused(operation)));
        sweep.AssertClean();
        await host.AssertUnchangedAsync(before);
    }

    [Fact]
    public async Task WhatNeedsNoKey_IsTheDescriptionOnly()
    {
        var open = host.Operations.Where(operation => operation.IsOpen).ToList();
        Assert.All(open, operation => Assert.Equal("/api/schema", operation.Route.TrimEnd('/')));
        if (open.Count == 0) return;
        var sweep = new Sweep(host);
        await sweep.RunAsync(from operation in open from key in (string?[])[null, Unknown, host.RevokedKey, host.Ours.Key] select new Probe(operation, operation.Route, Probe.Is(200)) { Key = key });
        sweep.AssertClean();
    }

    [Fact]
    public async Task WhatIsOfAnotherAccount_IsNotThere_AndStaysAsItIs()
    {
        var before = await host.SnapshotAsync();
        var sweep = new Sweep(host);
        var named = host.Operations.Where(operation => operation.Parameters.Any(host.Theirs.Values.ContainsKey)).ToList();
        var probes = new List<Probe>();
        foreach (var operation in named) probes.Add(await OfAnotherAsync(operation));
        Assert.NotEmpty(probes);
        await sweep.RunAsync(probes);
        sweep.AssertClean();
        await host.AssertUnchangedAsync(before);
    }

    [Fact]
    public void EachIdInAPath_IsOfSomethingThatAnAccountOfTheSuiteHas()
        => Assert.Empty(host.Operations.Where(operation => operation.IsServed).SelectMany(operation => operation.Parameters).Except(host.Theirs.Values.Keys).Except(Unowned));

    [Fact]
    public async Task NoList_HoldsWhatIsOfAnotherAccount()
    {
        string[] theirs = [.. host.Theirs.Values.Values.Where(id => id.Length > 4), host.Theirs.DeletedCallId, $"{host.Theirs.AccountId}"];
        var sweep = new Sweep(host);
        await sweep.RunAsync(
            from operation in host.Operations
            where operation is { Method: "GET", IsServed: true } && operation.Parameters.Count == 0
            from query in (string[])["", "?pageSize=100", $"?agentIds={host.Theirs.Values["agentId"]}", $"?agentId={host.Theirs.Values["agentId"]}"]
            select new Probe(operation, operation.Route + query, answer => theirs.Any(id => answer.Text.Replace(query.Length > 0 ? query.Split('=')[1] : "?", "").Contains(id, StringComparison.Ordinal)) ? "tells of another account" : null) { Key = host.Ours.Key });
        sweep.AssertClean();
    }

    [Fact]
    public async Task WhatABodyNamesOfAnotherAccount_DoesNotExistEither()
    {
        var before = await host.SnapshotAsync();
        var theirs = host.Theirs.Values;
        (string Operation, string Query, string Body)[] all =
        [
            ("POST /api/webhooks", "", $$"""{"url":"https://93.184.215.14/hook","events":["call.ended"],"agentId":"{{theirs["agentId"]}}"}"""),
            ("POST /api/calls", "", $$"""{"selectedTools":[{"toolId":"{{theirs["toolId"]}}"}]}"""),
            ("POST /api/calls", $"?priorCallId={theirs["callId"]}", "{}"),
            ("POST /api/agents", "", $$$"""{"name":"a","callTemplate":{"selectedTools":[{"toolId":"{{{theirs["toolId"]}}}"}]}}"""),
        ];
        var sweep = new Sweep(host);
        await sweep.RunAsync(from one in all
                             let operation = host.Operations.Single(operation => $"{operation}" == one.Operation)
                             select new Probe(operation, operation.Route + one.Query, Probe.Is(400)) { Key = host.Ours.Key, Body = NegativeHost.Json(one.Body), Note = one.Body });
        sweep.AssertClean();
        await host.AssertUnchangedAsync(before);
    }

    private IEnumerable<Probe> Refused(ApiOperation operation)
    {
        var path = operation.Path(host.Ours.Value(operation));
        // The connection API tells more behind it.
        var (none, wrong) = ("""{"detail":"Authentication credentials were not provided.","code":"not_authenticated""", """{"detail":"Invalid API key.","code":"authentication_failed""");
        yield return new(operation, path, Probe.Says(401, none)) { Body = Body(operation) };
        foreach (var key in (string[])["", "x", Unknown, host.Ours.Key[..^1] + "_", host.Ours.Key.ToUpperInvariant(), host.RevokedKey, host.ExpiredKey])
            yield return new(operation, path, Probe.Says(operation.IsConnection ? 401 : 403, wrong)) { Key = key, Body = Body(operation), Note = "a wrong key" };
    }

    private async Task<Probe> OfAnotherAsync(ApiOperation operation)
    {
        var body = operation.TakesJson ? await host.SampleAsync(operation, host.Theirs) : null;
        return new(operation, operation.Path(host.Theirs.Value(operation)), Probe.Is(operation.IsServed ? 404 : 501))
        {
            Key = host.Ours.Key, Body = body is null ? null : NegativeHost.Json(body.ToJsonString()), Note = body?.ToJsonString() ?? "",
        };
    }

    private static HttpContent? Body(ApiOperation operation) => operation.TakesJson ? NegativeHost.Json("{}") : null;
}
