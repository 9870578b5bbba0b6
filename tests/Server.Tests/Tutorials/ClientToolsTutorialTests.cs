using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Tutorials;

/// <summary>The drive-through of the documentation's tutorial on client tools: what the customer says ends up on the order display.</summary>
public sealed class ClientToolsTutorialTests(LiveSilo silo)
{
    /// <summary>As the tutorial defines it.</summary>
    private const string UpdateOrder = """
        {
          "temporaryTool": {
            "modelToolName": "updateOrder",
            "description": "Update order details. Used any time items are added or removed or when the order is finalized. Call this any time the user updates their order.",
            "dynamicParameters": [
              {
                "name": "orderDetailsData",
                "location": "PARAMETER_LOCATION_BODY",
                "schema": {
                  "description": "An array of objects contain order items.",
                  "type": "array",
                  "items": {
                    "type": "object",
                    "properties": {
                      "name": { "type": "string", "description": "The name of the item to be added to the order." },
                      "quantity": { "type": "number", "description": "The quantity of the item for the order." },
                      "specialInstructions": { "type": "string", "description": "Any special instructions that pertain to the item." },
                      "price": { "type": "number", "description": "The unit price for the item." }
                    },
                    "required": ["name", "quantity", "price"]
                  }
                },
                "required": true
              }
            ],
            "client": {}
          }
        }
        """;

    [Fact]
    public async Task WhatTheCustomerOrders_IsOnTheDisplay()
    {
        var display = new OrderDisplay();
        var script = silo.Chat.Play(TakeOrders);
        using var api = await silo.CreateClientAsync();
        var request = LiveCall.Request($"You take orders at the drive-through of Dr. Donut. {script.Mark}",
            $$"""{"model":"{{ScriptedChat.Model}}","languageHint":"en","voice":"{{LiveSilo.Speaker}}","temperature":0.4,"selectedTools":[{{UpdateOrder}}]}""");
        await using var call = await LiveCall.JoinAsync(api, request);
        var greeting = await call.WaitForFinalAsync("agent");
        Assert.Equal("Welcome to Dr. Donut. What can I get you?", Text(greeting));

        // A coffee: the model forgets its price, is told so, and mends it.
        var coffee = await OrderAsync(call, display, "I want a coffee please.", greeting.At, "coffee");
        Assert.Equal([("REGULAR BREWED COFFEE", 1m, 1.79m)], display.Items);
        var two = await OrderAsync(call, display, "And seven of the doughnuts please.", coffee, "seven");
        Assert.Equal([("REGULAR BREWED COFFEE", 1m, 1.79m), ("CHOCOLATE ICED DOUGHNUT", 7m, 1.09m)], display.Items);
        Assert.Equal(9.42m, display.Total);

        await call.WaitForStateAsync("listening", two);
        await Customer.SayAsync(call, "No thank you.");
        var declined = await call.WaitForFinalAsync("user", two);
        var bye = await call.WaitForFinalAsync("agent", declined.At);
        Assert.Equal("That is nine forty-two. Please drive forward.", Text(bye));
        await call.LeaveAsync();

        var messages = await call.ListAsync("messages?mode=in_call");
        var results = messages.Where(m => m.GetProperty("role").GetString() == "MESSAGE_ROLE_TOOL_RESULT").ToList();
        Assert.Equal(3, results.Count);
        Assert.Contains("price", results[0].GetProperty("errorDetails").GetString(), StringComparison.Ordinal);
        Assert.All(results.Skip(1), result => Assert.Equal("Updated the order details.", result.GetProperty("text").GetString()));
    }

    /// <summary>The customer says it, the display's tool answers, the agent confirms. Returns when it was confirmed.</summary>
    private static async Task<double> OrderAsync(LiveCall call, OrderDisplay display, string words, double after, string confirms)
    {
        await call.WaitForStateAsync("listening", after);
        await Customer.SayAsync(call, words);
        var invocation = await call.WaitForAsync("client_tool_invocation", after: after);
        Assert.Equal("updateOrder", invocation.Json.GetProperty("toolName").GetString());
        var result = display.Update(invocation.Json.GetProperty("parameters"));
        await call.SendAsync(new JsonObject { ["type"] = "client_tool_result", ["invocationId"] = invocation.Json.GetProperty("invocationId").GetString(), ["result"] = result }.ToJsonString());
        var confirmation = await call.WaitForFinalAsync("agent", invocation.At);
        Assert.Contains(confirms, Text(confirmation), StringComparison.OrdinalIgnoreCase);
        return confirmation.At;
    }

    private static string? Text(Received transcript) => transcript.Json.GetProperty("text").GetString();

    /// <summary>What a model makes of it that knows the menu.</summary>
    private static ChatReply TakeOrders(ChatRequest request)
    {
        var coffee = new { name = "REGULAR BREWED COFFEE", quantity = 1, price = 1.79 };
        var heard = request.LastUserText;
        return (request.LastRole, request.LastText) switch
        {
            ("tool", var error) when error.Contains("price", StringComparison.Ordinal) => ChatReply.Call("updateOrder", new { orderDetailsData = new[] { coffee } }),
            ("tool", _) when heard.Contains("seven", StringComparison.OrdinalIgnoreCase) => ChatReply.Say("Seven of them. Anything else?"),
            ("tool", _) => ChatReply.Say("One coffee. Would you like a doughnut with it?"),
            ("user", _) when heard.Contains("coffee", StringComparison.OrdinalIgnoreCase) => ChatReply.Call("updateOrder", new { orderDetailsData = new[] { new { coffee.name, coffee.quantity } } }),
            ("user", _) when heard.Contains("seven", StringComparison.OrdinalIgnoreCase)
                => ChatReply.Call("updateOrder", new { orderDetailsData = new[] { coffee, new { name = "CHOCOLATE ICED DOUGHNUT", quantity = 7, price = 1.09 } } }),
            ("user", _) when heard.Contains("no", StringComparison.OrdinalIgnoreCase) => ChatReply.Say("That is nine forty-two. Please drive forward."),
            ("user", _) when heard.Length > 0 && !heard.StartsWith('(') => ChatReply.Say("Could you say that again?"),
            _ => ChatReply.Say("Welcome to Dr. Donut. What can I get you?"),
        };
    }

    /// <summary>The tutorial's React component, as far as it is about orders.</summary>
    private sealed class OrderDisplay
    {
        public IReadOnlyList<(string? Name, decimal Quantity, decimal Price)> Items { get; private set; } = [];
        public decimal Total => Items.Sum(item => item.Quantity * item.Price);

        public string Update(JsonElement parameters)
        {
            Items = [.. parameters.GetProperty("orderDetailsData").EnumerateArray().Select(item
                => (item.GetProperty("name").GetString(), item.GetProperty("quantity").GetDecimal(), item.GetProperty("price").GetDecimal()))];
            return "Updated the order details.";
        }
    }
}
