using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Providers.Language;
using VoiceGrains.Grains.Tools.BuiltIn;

namespace VoiceGrains.Grains.Tools;

/// <summary>What a tool's definition means to the model and to the conversation.</summary>
internal static class ToolSchema
{
    /// <summary>Of a tool whose definition names none, as documented.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(2.5);

    private static readonly TimeSpan LongestTimeout = TimeSpan.FromSeconds(40);

    /// <summary>The tool as the model sees it.</summary>
    public static ModelTool ForModel(CallTool tool) => new(tool.Name, tool.Definition.Description ?? "", ArgumentsOf(tool));

    /// <summary>JSON Schema of the arguments, an object. Overridden, static and automatic parameters are not in it.</summary>
    public static JsonObject ArgumentsOf(CallTool tool)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var parameter in Visible(tool))
        {
            properties[parameter.Name!] = parameter.Schema?.DeepClone() ?? new JsonObject();
            if (parameter.Required ?? false) required.Add(parameter.Name);
        }
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (required.Count > 0) schema["required"] = required;
        return schema;
    }

    /// <summary>The parameters that the model fills.</summary>
    public static IEnumerable<DynamicParameter> Visible(CallTool tool)
        => tool.Definition.DynamicParameters.Where(parameter => parameter.Name is not null && !tool.ParameterOverrides.ContainsKey(parameter.Name));

    /// <summary>Whether the tool has an automatic parameter of this value.</summary>
    public static bool Asks(CallTool tool, KnownParameter known) => tool.Definition.AutomaticParameters.Any(parameter => parameter.KnownValue == known);

    /// <summary>For traces and metrics.</summary>
    public static string KindOf(CallTool tool)
        => tool.BuiltIn is not null ? "built_in"
        : tool.Definition.Http is not null ? "http"
        : tool.Definition.Client is not null ? "client"
        : tool.Definition.DataConnection is not null ? "data_connection" : "none";

    /// <summary>For everything that the tool does: 2.5 s where its definition names none, 40 s at most.</summary>
    public static TimeSpan TimeoutOf(CallTool tool)
        => tool.BuiltIn is not null ? BuiltInTools.Timeout : tool.Definition.Timeout is not { } asked || asked <= TimeSpan.Zero ? DefaultTimeout : asked < LongestTimeout ? asked : LongestTimeout;

    /// <summary>How the agent goes on when the tool's answer says nothing of it.</summary>
    public static ToolReaction DefaultReaction(CallTool tool) => tool.Definition.DefaultReaction switch
    {
        AgentReaction.Listens => ToolReaction.Listens,
        AgentReaction.SpeaksOnce => ToolReaction.SpeaksOnce,
        _ => ToolReaction.Speaks,
    };

    /// <summary>Reads <c>speaks</c>, <c>listens</c>, <c>speaks-once</c>; null for anything else.</summary>
    public static ToolReaction? ReadReaction(string? text) => text?.Trim().ToLowerInvariant() switch
    {
        "speaks" or "agent_reaction_speaks" => ToolReaction.Speaks,
        "listens" or "agent_reaction_listens" => ToolReaction.Listens,
        "speaks-once" or "speaks_once" or "agent_reaction_speaks_once" => ToolReaction.SpeaksOnce,
        _ => null,
    };
}
