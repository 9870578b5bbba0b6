using System.Net.Http.Json;
using System.Text.Json;
using VoiceGrains.Gateway.Talk;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>
/// A link to the talk page for the person at the terminal, good for a day: with an agent to try, which is made at the first start that has a page. Asked of the
/// server as any client would, with the key in the data folder.
/// </summary>
internal static class TalkLink
{
    /// <summary>The text waits no longer for it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Rules for the model that is built in; a real one understands them too.</summary>
    private const string Agent = """
        {
          "name": "Anna",
          "callTemplate": {
            "systemPrompt": "You are Anna, the voice of VoiceGrains, on the caller's own machine. Be friendly and answer in one or two sentences.\nWhen the call starts: say \"Hello, this is Anna, on your own machine. Ask me what time it is, let me tell you a story, or say goodbye.\"\nWhen the user says \"what time\" or \"the time\": call getLocalTime\nWhen getLocalTime answers: say \"Your browser says it is {result}.\"\nWhen the user says \"who are you\" or \"your name\": say \"I am Anna, an agent of VoiceGrains. My words are rules in my system prompt: point me at a real model for more.\"",
            "selectedTools": [
              {"toolName": "hangUp"},
              {"temporaryTool": {"modelToolName": "getLocalTime", "description": "Tells the time of day where the user is.", "client": {}}}
            ]
          }
        }
        """;

    /// <summary>Null where there is nothing to link to: no page, no key, or an agent that was deleted.</summary>
    /// <param name="folder">Has the key, and the agent's id.</param>
    /// <param name="url">Of the server, and of the link.</param>
    public static async Task<string?> CreateAsync(DataFolder folder, string url)
    {
        if (!TalkPage.IsBuilt || !File.Exists(folder.ApiKeyFile)) return null;
        try
        {
            using var http = new HttpClient { BaseAddress = new Uri(url), Timeout = Patience };
            http.DefaultRequestHeaders.Add("X-API-Key", (await File.ReadAllTextAsync(folder.ApiKeyFile)).Trim());
            if (!File.Exists(folder.TalkAgentFile)) await File.WriteAllTextAsync(folder.TalkAgentFile, await PostAsync(http, "/api/agents", Agent, "agentId") + "\n");
            return await PostAsync(http, $"/talk/{(await File.ReadAllTextAsync(folder.TalkAgentFile)).Trim()}/links", "{}", "url");
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException or IOException or UnauthorizedAccessException or JsonException)
        {
            return null;        // a convenience: the server does without
        }
    }

    private static async Task<string> PostAsync(HttpClient http, string path, string body, string field)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty(field).GetString()!;
    }
}
