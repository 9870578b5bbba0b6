using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tests.Conversations.Threads;

/// <summary>Words of the tests of threads, on top of the conversation harness.</summary>
internal static class ThreadCall
{
    public static ConversationHarness New(params CallTool[] tools)
    {
        var call = new ConversationHarness { MicrophoneOn = false };
        call.Stage = call.Stage with { Tools = tools, InitialState = new JsonObject { ["step"] = 1 } };
        return call;
    }

    public static void Spawn(this ConversationHarness call, string id, string? user = "Go.", string? more = null)
    {
        var spawn = JsonNode.Parse(more ?? "{}")!.AsObject();
        (spawn["type"], spawn["newThreadId"]) = ("spawn_thread", id);
        if (user is not null) spawn["additionalMessages"] = new JsonArray(new JsonObject { ["type"] = "user_text_message", ["text"] = user });
        call.Client(spawn.ToJsonString());
    }

    public static void Text(this ConversationHarness call, string id, string text, string urgency = "soon")
        => call.Client(new JsonObject { ["type"] = "user_text_message", ["threadId"] = id, ["text"] = text, ["urgency"] = urgency }.ToJsonString());

    public static List<string> Sent(this ConversationHarness call, string type, string field) => [.. call.FarEnd.OfType(type).Select(message => (string)message[field]!)];

    public static List<string> Completed(this ConversationHarness call, string id)
        => [.. call.FarEnd.OfType("side_generation_completed").Where(message => (string?)message["threadId"] == id).Select(message => (string)message["text"]!)];

    public static string? EndOf(this ConversationHarness call, string id)
        => (string?)call.FarEnd.OfType("thread_terminated").SingleOrDefault(message => (string?)message["threadId"] == id)?["reason"];

    public static string? RejectionOf(this ConversationHarness call, string id)
        => (string?)call.FarEnd.OfType("thread_rejected").SingleOrDefault(message => (string?)message["threadId"] == id)?["reason"];

    public static IEnumerable<string> TextsOf(ModelRequest request) => request.Messages.Select(message => $"{message.Role}:{message.Text}");

    public static CallTool ServerTool(string name, AgentReaction reaction = AgentReaction.Speaks) => new()
    {
        CallToolId = name,
        Name = name,
        Definition = new CallToolDefinition { Http = new HttpToolDetails(), Description = name, DefaultReaction = reaction },
    };

    public static CallTool Knowing(string name, params KnownParameter[] known) => new()
    {
        CallToolId = name,
        Name = name,
        Definition = new CallToolDefinition
        {
            Client = new EmptyDetails(),
            AutomaticParameters = [.. known.Select(value => new AutomaticParameter { Name = value.ToString(), Location = ParameterLocation.Body, KnownValue = value })],
        },
    };

    public static ModelDelta Says(string text) => new ModelDelta.Text(text);

    public static ModelDelta UsesTool(string tool, string arguments = "{}", string id = "c") => new ModelDelta.ToolCall(id, tool, arguments);

    public static CallTool ClientTool(string name, params DynamicParameter[] parameters) => ConversationHarness.ClientTool(name, parameters);

    /// <summary>What a tool of the main conversation is told.</summary>
    public static JsonObject StatesSeenBy(this ConversationHarness call, string tool = "look")
    {
        call.Client(new JsonObject { ["type"] = "forced_agent_message", ["toolCalls"] = new JsonArray(new JsonObject { ["name"] = tool }) }.ToJsonString());
        return call.FarEnd.OfType("client_tool_invocation").Last(invocation => (string?)invocation["toolName"] == tool)["parameters"]!["ThreadStates"]!.AsObject();
    }
}
