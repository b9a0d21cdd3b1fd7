-- wrk -s post.lua URL -- BODYFILE KEY: posts the file with the key as bearer.
function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Bearer " .. args[2]
  request_text = wrk.format()
end

function request()
  return request_text
end
