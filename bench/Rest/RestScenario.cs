using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.Bench.Scenarios;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Load;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Bench.Rest;

/// <summary>What REST costs beyond its queries: requests to a real server beside the same SQL sent by a bare driver, in turns, by as many callers.</summary>
internal static class RestScenario
{
    private const double Target = 0.6;
    private const int Calls = 300;

    /// <summary>As long as the compiler is at work on the server's hot code: what it takes from two cores is not what a request costs.</summary>
    private const double WarmUpSeconds = 12;
    private const string Agent = """{"name":"bench","callTemplate":{"systemPrompt":"Be brief.","voice":"Mark","temperature":0.3}}""";
    private static readonly Option<int> Callers = new("--callers") { Description = "Requests at the same time.", DefaultValueFactory = _ => 8 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "How often each takes its turn.", DefaultValueFactory = _ => 7 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "How long a turn is.", DefaultValueFactory = _ => 2 };

    public static Command Command()
    {
        var command = new Command("rest", "GET call, list calls and create agent over HTTP, beside the bare queries.") { Callers, Rounds, Seconds };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult given, CancellationToken cancellationToken)
    {
        Console.WriteLine(Scenario.Machine());
        await using var own = await PostgresServer.CreateDatabaseAsync(cancellationToken, durable: true);
        await using var server = await BenchServer.StartAsync(own.ConnectionString, "Fine.", cancellationToken, new Dictionary<string, string>
        {
            ["Gateway__RequestsPerSecondPerKey"] = "0", ["Gateway__RequestsPerSecondPerAccount"] = "0", ["Logging__LogLevel__Default"] = "Warning",
        });
        await using var database = NpgsqlDataSource.Create(own.ConnectionString);
        using var http = new HttpClient { BaseAddress = server.Address.Url };
        http.DefaultRequestHeaders.Add("X-API-Key", server.Address.ApiKey);
        var account = await ScalarAsync(database, "select account_id::text from accounts limit 1", cancellationToken);
        var calls = new string[Calls];
        for (var i = 0; i < Calls; i++)
        {
            // Nobody joins, and that is found out after all is measured: 300 calls that end meanwhile are work of their own.
            var call = new { systemPrompt = "Be brief. " + new string('x', 400), metadata = new { number = $"{i}" }, joinTimeout = "3600s" };
            using var created = await http.PostAsJsonAsync("/api/calls", call, cancellationToken);
            if (!created.IsSuccessStatusCode) throw new CliException(await created.Content.ReadAsStringAsync(cancellationToken));
            calls[i] = (await created.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("callId").GetString()!;
        }
        await ScalarAsync(database, "analyze", cancellationToken);

        Side[] sides =
        [
            new("GET call", n => SendAsync(http, new(HttpMethod.Get, "/api/calls/" + calls[n % Calls]), cancellationToken), n => GetAsync(database, account, calls[n % Calls], cancellationToken)),
            new("list calls", _ => SendAsync(http, new(HttpMethod.Get, "/api/calls"), cancellationToken), _ => ListAsync(database, account, cancellationToken)),
            new("create agent",
                _ => SendAsync(http, new(HttpMethod.Post, "/api/agents") { Content = new StringContent(Agent, Encoding.UTF8, "application/json") }, cancellationToken),
                _ => CreateAsync(database, account, cancellationToken)),
        ];
        var (callers, seconds) = (given.GetValue(Callers), given.GetValue(Seconds));
        Console.WriteLine($"\n{callers} callers\n\n| | REST per s | p50 ms | p99 ms | bare per s | p50 ms | p99 ms | ratio |\n|---|---|---|---|---|---|---|---|");
        var isShort = false;
        foreach (var side in sides)
        {
            await TurnAsync(side.Rest, callers, WarmUpSeconds);
            await TurnAsync(side.Bare, callers, 1);
            List<Turn> rest = [], bare = [];
            for (var round = 0; round < given.GetValue(Rounds); round++)
            {
                rest.Add(await TurnAsync(side.Rest, callers, seconds));
                bare.Add(await TurnAsync(side.Bare, callers, seconds));
            }
            var ratio = Middle(rest).PerSecond / Middle(bare).PerSecond;
            isShort |= ratio < Target;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {side.Name} | {Row(rest)} | {Row(bare)} | {ratio:0.00} |"));
        }
        Console.WriteLine("\n" + Scenario.Machine());
        return isShort ? CliException.CallFailed : 0;
    }

    private static string Row(List<Turn> turns)
    {
        var times = turns.SelectMany(turn => turn.Ms).ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{Middle(turns).PerSecond:0} | {LoadReport.At(times, 0.5):0.00} | {LoadReport.At(times, 0.99):0.00}");
    }

    private static Turn Middle(List<Turn> turns) => turns.OrderBy(turn => turn.PerSecond).ElementAt(turns.Count / 2);

    private static async Task<Turn> TurnAsync(Func<int, Task> one, int callers, double seconds)
    {
        var watch = Stopwatch.StartNew();
        var number = 0;
        var all = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            var times = new List<double>();
            while (watch.Elapsed.TotalSeconds < seconds)
            {
                var start = Stopwatch.GetTimestamp();
                await one(Interlocked.Increment(ref number));
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            return times;
        })));
        return new([.. all.SelectMany(times => times)], watch.Elapsed.TotalSeconds);
    }

    private static async Task SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        using (var reply = await http.SendAsync(request, cancellationToken))
        {
            await reply.Content.ReadAsByteArrayAsync(cancellationToken);
            reply.EnsureSuccessStatusCode();
        }
    }

    private static async Task GetAsync(NpgsqlDataSource database, string account, string callId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select document from calls where call_id = $1 and account_id = $2");
        command.Parameters.Add(new() { Value = callId });
        command.Parameters.Add(new() { Value = account });
        if (await command.ExecuteScalarAsync(cancellationToken) is not string) throw new CliException($"Call {callId} is gone.");
    }

    /// <summary>The two statements of the list without filters.</summary>
    private static async Task ListAsync(NpgsqlDataSource database, string account, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new("select (+ (select coalesce(sum(total), 0) from call_counts where list = 'calls' and account_id = $1 and agent_id = any($2) and day between $3 and $4))::integer")
        {
            Parameters = { new() { Value = account }, new() { Value = new[] { "" } }, new() { Value = DateOnly.MinValue }, new() { Value = DateOnly.MaxValue } },
        });
        batch.BatchCommands.Add(new("""
            select page.*, page_key::text as key_text, page_id::text as id_text from (
                select document, 0 as part, created as page_key, call_id as page_id from calls where (account_id = $1) and true order by created desc, call_id desc limit 11) page
            order by part, page_key desc, page_id desc
            """)
        { Parameters = { new() { Value = account } } });
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        await row.NextResultAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) row.GetString(0);
    }

    /// <summary>The two rows of an agent, in one transaction.</summary>
    private static async Task CreateAsync(NpgsqlDataSource database, string account, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid().ToString();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var state = new NpgsqlCommand("insert into grain_state (grain_type, grain_key, state_name, state, etag) select 'bench', $1, 'agent', $2, 1 on conflict do nothing returning etag", connection, transaction))
        {
            state.Parameters.Add(new() { Value = id });
            state.Parameters.Add(new() { Value = Agent, NpgsqlDbType = NpgsqlDbType.Jsonb });
            await state.ExecuteScalarAsync(cancellationToken);
        }
        await using (var agent = new NpgsqlCommand("insert into agents (agent_id, account_id, name, created, document) values ($1, $2, 'bench', $3, $4)", connection, transaction))
        {
            agent.Parameters.Add(new() { Value = id });
            agent.Parameters.Add(new() { Value = account + " bare" });
            agent.Parameters.Add(new() { Value = DateTime.UtcNow });
            agent.Parameters.Add(new() { Value = Agent, NpgsqlDbType = NpgsqlDbType.Jsonb });
            await agent.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task<string> ScalarAsync(NpgsqlDataSource database, string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(cancellationToken) as string ?? "";
    }

    /// <param name="Rest">The n-th request.</param>
    /// <param name="Bare">The same without a server.</param>
    private sealed record Side(string Name, Func<int, Task> Rest, Func<int, Task> Bare);

    private sealed record Turn(List<double> Ms, double Seconds)
    {
        public double PerSecond => Ms.Count / Seconds;
    }
}
